//! Masks: numbers whose bits have names.

mask! {
    /// Cryptographic Usage Mask (1.4, 9.1.3.3.1).
    CryptographicUsageMask {
        Sign = 0x0000_0001, V1_0..=V2_1;
        Verify = 0x0000_0002, V1_0..=V2_1;
        Encrypt = 0x0000_0004, V1_0..=V2_1;
        Decrypt = 0x0000_0008, V1_0..=V2_1;
        WrapKey = 0x0000_0010, V1_0..=V2_1;
        UnwrapKey = 0x0000_0020, V1_0..=V2_1;
        Export = 0x0000_0040, V1_0..=V1_4;
        MACGenerate = 0x0000_0080, V1_0..=V2_1;
        MACVerify = 0x0000_0100, V1_0..=V2_1;
        DeriveKey = 0x0000_0200, V1_0..=V2_1;
        ContentCommitment = 0x0000_0400, V1_0..=V1_4;
        KeyAgreement = 0x0000_0800, V1_0..=V2_1;
        CertificateSign = 0x0000_1000, V1_0..=V2_1;
        CRLSign = 0x0000_2000, V1_0..=V2_1;
        GenerateCryptogram = 0x0000_4000, V1_0..=V1_4;
        ValidateCryptogram = 0x0000_8000, V1_0..=V1_4;
        TranslateEncrypt = 0x0001_0000, V1_0..=V1_4;
        TranslateDecrypt = 0x0002_0000, V1_0..=V1_4;
        TranslateWrap = 0x0004_0000, V1_0..=V1_4;
        TranslateUnwrap = 0x0008_0000, V1_0..=V1_4;
        Authenticate = 0x0010_0000, V2_0..=V2_1;
        Unrestricted = 0x0020_0000, V2_0..=V2_1;
        FPEEncrypt = 0x0040_0000, V2_0..=V2_1;
        FPEDecrypt = 0x0080_0000, V2_0..=V2_1;
    }
}

mask! {
    /// Storage Status Mask (1.4, 9.1.3.3.2).
    StorageStatusMask {
        OnLineStorage = 0x0000_0001, V1_0..=V2_1;
        ArchivalStorage = 0x0000_0002, V1_0..=V2_1;
        DestroyedStorage = 0x0000_0004, V2_0..=V2_1;
    }
}

mask! {
    /// Protection Storage Mask (2.1, 12.2).
    ProtectionStorageMask {
        Software = 0x0000_0001, V2_0..=V2_1;
        Hardware = 0x0000_0002, V2_0..=V2_1;
        OnProcessor = 0x0000_0004, V2_0..=V2_1;
        OnSystem = 0x0000_0008, V2_0..=V2_1;
        OffSystem = 0x0000_0010, V2_0..=V2_1;
        Hypervisor = 0x0000_0020, V2_0..=V2_1;
        OperatingSystem = 0x0000_0040, V2_0..=V2_1;
        Container = 0x0000_0080, V2_0..=V2_1;
        OnPremises = 0x0000_0100, V2_0..=V2_1;
        OffPremises = 0x0000_0200, V2_0..=V2_1;
        SelfManaged = 0x0000_0400, V2_0..=V2_1;
        Outsourced = 0x0000_0800, V2_0..=V2_1;
        Validated = 0x0000_1000, V2_0..=V2_1;
        SameJurisdiction = 0x0000_2000, V2_0..=V2_1;
    }
}
