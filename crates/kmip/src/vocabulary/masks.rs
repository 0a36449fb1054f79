//! Masks: numbers whose bits have names.

mask! {
    /// Cryptographic Usage Mask (1.4, 9.1.3.3.1).
    CryptographicUsageMask {
        Sign = 0x0000_0001, V1_0..=V3_0;
        Verify = 0x0000_0002, V1_0..=V3_0;
        Encrypt = 0x0000_0004, V1_0..=V3_0;
        Decrypt = 0x0000_0008, V1_0..=V3_0;
        WrapKey = 0x0000_0010, V1_0..=V3_0;
        UnwrapKey = 0x0000_0020, V1_0..=V3_0;
        Export = 0x0000_0040, V1_0..=V1_4;
        MACGenerate = 0x0000_0080, V1_0..=V3_0;
        MACVerify = 0x0000_0100, V1_0..=V3_0;
        DeriveKey = 0x0000_0200, V1_0..=V3_0;
        ContentCommitment = 0x0000_0400, V1_0..=V1_4, "NonRepudiation";
        KeyAgreement = 0x0000_0800, V1_0..=V3_0;
        CertificateSign = 0x0000_1000, V1_0..=V3_0;
        CRLSign = 0x0000_2000, V1_0..=V3_0;
        GenerateCryptogram = 0x0000_4000, V1_0..=V1_4;
        ValidateCryptogram = 0x0000_8000, V1_0..=V1_4;
        TranslateEncrypt = 0x0001_0000, V1_0..=V1_4;
        TranslateDecrypt = 0x0002_0000, V1_0..=V1_4;
        TranslateWrap = 0x0004_0000, V1_0..=V1_4;
        TranslateUnwrap = 0x0008_0000, V1_0..=V1_4;
        Authenticate = 0x0010_0000, V2_0..=V3_0;
        Unrestricted = 0x0020_0000, V2_0..=V3_0;
        FPEEncrypt = 0x0040_0000, V2_0..=V3_0;
        FPEDecrypt = 0x0080_0000, V2_0..=V3_0;
    }
}

mask! {
    /// Storage Status Mask (1.4, 9.1.3.3.2).
    StorageStatusMask {
        OnLineStorage = 0x0000_0001, V1_0..=V3_0;
        ArchivalStorage = 0x0000_0002, V1_0..=V3_0;
        DestroyedStorage = 0x0000_0004, V2_0..=V3_0;
    }
}

mask! {
    /// Protection Storage Mask (2.1, 12.2).
    ProtectionStorageMask {
        Software = 0x0000_0001, V2_0..=V3_0;
        Hardware = 0x0000_0002, V2_0..=V3_0;
        OnProcessor = 0x0000_0004, V2_0..=V3_0;
        OnSystem = 0x0000_0008, V2_0..=V3_0;
        OffSystem = 0x0000_0010, V2_0..=V3_0;
        Hypervisor = 0x0000_0020, V2_0..=V3_0;
        OperatingSystem = 0x0000_0040, V2_0..=V3_0;
        Container = 0x0000_0080, V2_0..=V3_0;
        OnPremises = 0x0000_0100, V2_0..=V3_0;
        OffPremises = 0x0000_0200, V2_0..=V3_0;
        SelfManaged = 0x0000_0400, V2_0..=V3_0;
        Outsourced = 0x0000_0800, V2_0..=V3_0;
        Validated = 0x0000_1000, V2_0..=V3_0;
        SameJurisdiction = 0x0000_2000, V2_0..=V3_0;
    }
}

mask! {
    /// Object Class Mask (3.0, 12).
    ObjectClassMask {
        User = 0x0000_0001, V3_0..=V3_0;
        System = 0x0000_0002, V3_0..=V3_0;
    }
}
