//! Objects and their attributes.
//!
//! Data: one row a value, with the versions that have it and the names it had before.

enumeration! {
    /// Alternative Name Type (2.1, 11.2).
    AlternativeNameType {
        UninterpretedTextString = 0x0000_0001, V1_2..=V3_0;
        URI = 0x0000_0002, V1_2..=V3_0;
        ObjectSerialNumber = 0x0000_0003, V1_2..=V3_0;
        EmailAddress = 0x0000_0004, V1_2..=V3_0;
        DNSName = 0x0000_0005, V1_2..=V3_0;
        X_500DistinguishedName = 0x0000_0006, V1_2..=V3_0;
        IPAddress = 0x0000_0007, V1_2..=V3_0;
    }
}

enumeration! {
    /// Certificate Request Type (2.1, 11.8).
    CertificateRequestType {
        CRMF = 0x0000_0001, V1_0..=V3_0;
        PKCS_10 = 0x0000_0002, V1_0..=V3_0;
        PEM = 0x0000_0003, V1_0..=V3_0;
        PGP = 0x0000_0004, V1_0..=V1_4;
    }
}

enumeration! {
    /// Certificate Type (2.1, 11.9).
    CertificateType {
        X_509 = 0x0000_0001, V1_0..=V3_0;
        PGP = 0x0000_0002, V1_0..=V3_0;
    }
}

enumeration! {
    /// Deactivation Reason Code (3.0).
    DeactivationReasonCode {
        Unspecified = 0x0000_0001, V3_0..=V3_0;
        DeactivationDate = 0x0000_0002, V3_0..=V3_0;
        ProtectStopDate = 0x0000_0003, V3_0..=V3_0;
        UsageLimit = 0x0000_0004, V3_0..=V3_0;
    }
}

enumeration! {
    /// Key Value Location Type (2.1, 11.27).
    KeyValueLocationType {
        UninterpretedTextString = 0x0000_0001, V1_2..=V3_0;
        URI = 0x0000_0002, V1_2..=V3_0;
    }
}

enumeration! {
    /// Link Type (2.1, 11.28).
    LinkType {
        CertificateLink = 0x0000_0101, V1_0..=V2_1;
        PublicKeyLink = 0x0000_0102, V1_0..=V2_1;
        PrivateKeyLink = 0x0000_0103, V1_0..=V2_1;
        DerivationBaseObjectLink = 0x0000_0104, V1_0..=V2_1;
        DerivedKeyLink = 0x0000_0105, V1_0..=V2_1;
        ReplacementObjectLink = 0x0000_0106, V1_0..=V2_1;
        ReplacedObjectLink = 0x0000_0107, V1_0..=V2_1;
        ParentLink = 0x0000_0108, V1_2..=V2_1;
        ChildLink = 0x0000_0109, V1_2..=V2_1;
        PreviousLink = 0x0000_010A, V1_2..=V2_1;
        NextLink = 0x0000_010B, V1_2..=V2_1;
        PKCS_12CertificateLink = 0x0000_010C, V1_4..=V2_1;
        PKCS_12PasswordLink = 0x0000_010D, V1_4..=V2_1;
        WrappingKeyLink = 0x0000_010E, V2_0..=V2_1;
    }
}

enumeration! {
    /// Name Type (2.1, 11.31).
    NameType {
        UninterpretedTextString = 0x0000_0001, V1_0..=V2_1;
        URI = 0x0000_0002, V1_0..=V2_1;
    }
}

enumeration! {
    /// Object Class (3.0).
    ObjectClass {
        User = 0x0000_0001, V3_0..=V3_0;
        System = 0x0000_0002, V3_0..=V3_0;
    }
}

enumeration! {
    /// Object Group Member (2.1, 11.33).
    ObjectGroupMember {
        GroupMemberFresh = 0x0000_0001, V1_1..=V2_1;
        GroupMemberDefault = 0x0000_0002, V1_1..=V2_1;
    }
}

enumeration! {
    /// Object Type (2.1, 11.34).
    ObjectType {
        Certificate = 0x0000_0001, V1_0..=V3_0;
        SymmetricKey = 0x0000_0002, V1_0..=V3_0;
        PublicKey = 0x0000_0003, V1_0..=V3_0;
        PrivateKey = 0x0000_0004, V1_0..=V3_0;
        SplitKey = 0x0000_0005, V1_0..=V3_0;
        Template = 0x0000_0006, V1_0..=V1_4;
        SecretData = 0x0000_0007, V1_0..=V3_0;
        OpaqueObject = 0x0000_0008, V1_0..=V3_0;
        PGPKey = 0x0000_0009, V1_2..=V3_0;
        CertificateRequest = 0x0000_000A, V2_0..=V3_0;
        User = 0x0000_000B, V3_0..=V3_0;
        Group = 0x0000_000C, V3_0..=V3_0;
        PasswordCredential = 0x0000_000D, V3_0..=V3_0;
        DeviceCredential = 0x0000_000E, V3_0..=V3_0;
        OneTimePasswordCredential = 0x0000_000F, V3_0..=V3_0;
        HashedPasswordCredential = 0x0000_0010, V3_0..=V3_0;
    }
}

enumeration! {
    /// Protection Level (2.1, 11.42).
    ProtectionLevel {
        High = 0x0000_0001, V2_0..=V3_0;
        Low = 0x0000_0002, V2_0..=V3_0;
    }
}

enumeration! {
    /// Revocation Reason Code (2.1, 11.48).
    RevocationReasonCode {
        Unspecified = 0x0000_0001, V1_0..=V3_0;
        KeyCompromise = 0x0000_0002, V1_0..=V3_0;
        CACompromise = 0x0000_0003, V1_0..=V3_0;
        AffiliationChanged = 0x0000_0004, V1_0..=V3_0;
        Superseded = 0x0000_0005, V1_0..=V3_0;
        CessationOfOperation = 0x0000_0006, V1_0..=V3_0;
        PrivilegeWithdrawn = 0x0000_0007, V1_0..=V3_0;
    }
}

enumeration! {
    /// Rotate Name Type (2.1, 11.51).
    RotateNameType {
        UninterpretedTextString = 0x0000_0001, V2_1..=V2_1;
        URI = 0x0000_0002, V2_1..=V2_1;
    }
}

enumeration! {
    /// Secret Data Type (2.1, 11.52).
    SecretDataType {
        Password = 0x0000_0001, V1_0..=V3_0;
        Seed = 0x0000_0002, V1_0..=V3_0;
    }
}

enumeration! {
    /// State (2.1, 11.55).
    State {
        PreActive = 0x0000_0001, V1_0..=V3_0;
        Active = 0x0000_0002, V1_0..=V3_0;
        Deactivated = 0x0000_0003, V1_0..=V3_0;
        Compromised = 0x0000_0004, V1_0..=V3_0;
        Destroyed = 0x0000_0005, V1_0..=V3_0;
        DestroyedCompromised = 0x0000_0006, V1_0..=V3_0;
    }
}

enumeration! {
    /// Usage Limits Unit (2.1, 11.60).
    UsageLimitsUnit {
        Byte = 0x0000_0001, V1_0..=V3_0;
        Object = 0x0000_0002, V1_0..=V3_0;
    }
}

enumeration! {
    /// Opaque Data Type (2.1, 11.35).
    OpaqueDataType {
    }
}
