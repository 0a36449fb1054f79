//! What is asked, what is answered, and who asks.
//!
//! Data: one row a value, with the versions that have it and the names it had before.

enumeration! {
    /// Operation (2.1, 11.36).
    Operation {
        Create = 0x0000_0001, V1_0..=V3_0;
        CreateKeyPair = 0x0000_0002, V1_0..=V3_0;
        Register = 0x0000_0003, V1_0..=V3_0;
        ReKey = 0x0000_0004, V1_0..=V3_0;
        DeriveKey = 0x0000_0005, V1_0..=V3_0;
        Certify = 0x0000_0006, V1_0..=V3_0;
        ReCertify = 0x0000_0007, V1_0..=V3_0;
        Locate = 0x0000_0008, V1_0..=V3_0;
        Check = 0x0000_0009, V1_0..=V3_0;
        Get = 0x0000_000A, V1_0..=V3_0;
        GetAttributes = 0x0000_000B, V1_0..=V3_0;
        GetAttributeList = 0x0000_000C, V1_0..=V3_0;
        AddAttribute = 0x0000_000D, V1_0..=V3_0;
        ModifyAttribute = 0x0000_000E, V1_0..=V3_0;
        DeleteAttribute = 0x0000_000F, V1_0..=V3_0;
        ObtainLease = 0x0000_0010, V1_0..=V3_0;
        GetUsageAllocation = 0x0000_0011, V1_0..=V3_0;
        Activate = 0x0000_0012, V1_0..=V3_0;
        Revoke = 0x0000_0013, V1_0..=V3_0;
        Destroy = 0x0000_0014, V1_0..=V3_0;
        Archive = 0x0000_0015, V1_0..=V3_0;
        Recover = 0x0000_0016, V1_0..=V3_0;
        Validate = 0x0000_0017, V1_0..=V3_0;
        Query = 0x0000_0018, V1_0..=V3_0;
        Cancel = 0x0000_0019, V1_0..=V3_0;
        Poll = 0x0000_001A, V1_0..=V3_0;
        Notify = 0x0000_001B, V1_0..=V3_0;
        Put = 0x0000_001C, V1_0..=V3_0;
        ReKeyKeyPair = 0x0000_001D, V1_1..=V3_0;
        DiscoverVersions = 0x0000_001E, V1_1..=V3_0;
        Encrypt = 0x0000_001F, V1_2..=V3_0;
        Decrypt = 0x0000_0020, V1_2..=V3_0;
        Sign = 0x0000_0021, V1_2..=V3_0;
        SignatureVerify = 0x0000_0022, V1_2..=V3_0;
        MAC = 0x0000_0023, V1_2..=V3_0;
        MACVerify = 0x0000_0024, V1_2..=V3_0;
        RNGRetrieve = 0x0000_0025, V1_2..=V3_0;
        RNGSeed = 0x0000_0026, V1_2..=V3_0;
        Hash = 0x0000_0027, V1_2..=V3_0;
        CreateSplitKey = 0x0000_0028, V1_2..=V3_0;
        JoinSplitKey = 0x0000_0029, V1_2..=V3_0;
        Import = 0x0000_002A, V1_4..=V3_0;
        Export = 0x0000_002B, V1_4..=V3_0;
        Log = 0x0000_002C, V2_0..=V3_0;
        Login = 0x0000_002D, V2_0..=V3_0;
        Logout = 0x0000_002E, V2_0..=V3_0;
        DelegatedLogin = 0x0000_002F, V2_0..=V3_0;
        AdjustAttribute = 0x0000_0030, V2_0..=V3_0;
        SetAttribute = 0x0000_0031, V2_0..=V3_0;
        SetEndpointRole = 0x0000_0032, V2_0..=V3_0;
        PKCS_11 = 0x0000_0033, V2_0..=V3_0;
        Interop = 0x0000_0034, V2_0..=V3_0;
        ReProvision = 0x0000_0035, V2_0..=V3_0;
        SetDefaults = 0x0000_0036, V2_1..=V3_0;
        SetConstraints = 0x0000_0037, V2_1..=V3_0;
        GetConstraints = 0x0000_0038, V2_1..=V3_0;
        QueryAsynchronousRequests = 0x0000_0039, V2_1..=V3_0;
        Process = 0x0000_003A, V2_1..=V3_0;
        Ping = 0x0000_003B, V2_1..=V3_0;
        CreateGroup = 0x0000_003C, V3_0..=V3_0;
        Obliterate = 0x0000_003D, V3_0..=V3_0;
        CreateUser = 0x0000_003E, V3_0..=V3_0;
        CreateCredential = 0x0000_003F, V3_0..=V3_0;
        Deactivate = 0x0000_0040, V3_0..=V3_0;
    }
}

enumeration! {
    /// Result Status (2.1, 11.47).
    ResultStatus {
        Success = 0x0000_0000, V1_0..=V3_0;
        OperationFailed = 0x0000_0001, V1_0..=V3_0;
        OperationPending = 0x0000_0002, V1_0..=V3_0;
        OperationUndone = 0x0000_0003, V1_0..=V3_0;
    }
}

enumeration! {
    /// Result Reason (2.1, 11.46).
    ResultReason {
        ItemNotFound = 0x0000_0001, V1_0..=V3_0;
        ResponseTooLarge = 0x0000_0002, V1_0..=V3_0;
        AuthenticationNotSuccessful = 0x0000_0003, V1_0..=V3_0;
        InvalidMessage = 0x0000_0004, V1_0..=V3_0;
        OperationNotSupported = 0x0000_0005, V1_0..=V3_0;
        MissingData = 0x0000_0006, V1_0..=V3_0;
        InvalidField = 0x0000_0007, V1_0..=V3_0;
        FeatureNotSupported = 0x0000_0008, V1_0..=V3_0;
        OperationCanceledByRequester = 0x0000_0009, V1_0..=V3_0;
        CryptographicFailure = 0x0000_000A, V1_0..=V3_0;
        IllegalOperation = 0x0000_000B, V1_0..=V1_4;
        PermissionDenied = 0x0000_000C, V1_0..=V3_0;
        ObjectArchived = 0x0000_000D, V1_0..=V3_0;
        IndexOutOfBounds = 0x0000_000E, V1_0..=V1_4;
        ApplicationNamespaceNotSupported = 0x0000_000F, V1_0..=V3_0;
        KeyFormatTypeNotSupported = 0x0000_0010, V1_0..=V3_0;
        KeyCompressionTypeNotSupported = 0x0000_0011, V1_0..=V3_0;
        EncodingOptionError = 0x0000_0012, V1_1..=V3_0;
        KeyValueNotPresent = 0x0000_0013, V1_2..=V3_0;
        AttestationRequired = 0x0000_0014, V1_2..=V3_0;
        AttestationFailed = 0x0000_0015, V1_2..=V3_0;
        Sensitive = 0x0000_0016, V1_4..=V3_0;
        NotExtractable = 0x0000_0017, V1_4..=V3_0;
        ObjectAlreadyExists = 0x0000_0018, V1_4..=V3_0;
        InvalidTicket = 0x0000_0019, V2_0..=V3_0;
        UsageLimitExceeded = 0x0000_001A, V2_0..=V3_0;
        NumericRange = 0x0000_001B, V2_0..=V3_0;
        InvalidDataType = 0x0000_001C, V2_0..=V3_0;
        ReadOnlyAttribute = 0x0000_001D, V2_0..=V3_0;
        MultiValuedAttribute = 0x0000_001E, V2_0..=V3_0;
        UnsupportedAttribute = 0x0000_001F, V2_0..=V3_0;
        AttributeInstanceNotFound = 0x0000_0020, V2_0..=V3_0;
        AttributeNotFound = 0x0000_0021, V2_0..=V3_0;
        AttributeReadOnly = 0x0000_0022, V2_0..=V3_0;
        AttributeSingleValued = 0x0000_0023, V2_0..=V3_0;
        BadCryptographicParameters = 0x0000_0024, V2_0..=V3_0;
        BadPassword = 0x0000_0025, V2_0..=V3_0;
        CodecError = 0x0000_0026, V2_0..=V3_0;
        IllegalObjectType = 0x0000_0028, V2_0..=V3_0;
        IncompatibleCryptographicUsageMask = 0x0000_0029, V2_0..=V3_0;
        InternalServerError = 0x0000_002A, V2_0..=V3_0;
        InvalidAsynchronousCorrelationValue = 0x0000_002B, V2_0..=V3_0;
        InvalidAttribute = 0x0000_002C, V2_0..=V3_0;
        InvalidAttributeValue = 0x0000_002D, V2_0..=V3_0;
        InvalidCorrelationValue = 0x0000_002E, V2_0..=V3_0;
        InvalidCSR = 0x0000_002F, V2_0..=V3_0;
        InvalidObjectType = 0x0000_0030, V2_0..=V3_0;
        KeyWrapTypeNotSupported = 0x0000_0032, V2_0..=V3_0;
        MissingInitializationVector = 0x0000_0034, V2_0..=V3_0;
        NonUniqueNameAttribute = 0x0000_0035, V2_0..=V3_0;
        ObjectDestroyed = 0x0000_0036, V2_0..=V3_0;
        ObjectNotFound = 0x0000_0037, V2_0..=V3_0;
        NotAuthorised = 0x0000_0039, V2_0..=V3_0;
        ServerLimitExceeded = 0x0000_003A, V2_0..=V3_0;
        UnknownEnumeration = 0x0000_003B, V2_0..=V3_0;
        UnknownMessageExtension = 0x0000_003C, V2_0..=V3_0;
        UnknownTag = 0x0000_003D, V2_0..=V3_0;
        UnsupportedCryptographicParameters = 0x0000_003E, V2_0..=V3_0;
        UnsupportedProtocolVersion = 0x0000_003F, V2_0..=V3_0;
        WrappingObjectArchived = 0x0000_0040, V2_0..=V3_0;
        WrappingObjectDestroyed = 0x0000_0041, V2_0..=V3_0;
        WrappingObjectNotFound = 0x0000_0042, V2_0..=V3_0;
        WrongKeyLifecycleState = 0x0000_0043, V2_0..=V3_0;
        ProtectionStorageUnavailable = 0x0000_0044, V2_0..=V3_0;
        PKCS_11CodecError = 0x0000_0045, V2_0..=V3_0;
        PKCS_11InvalidFunction = 0x0000_0046, V2_0..=V3_0;
        PKCS_11InvalidInterface = 0x0000_0047, V2_0..=V3_0;
        PrivateProtectionStorageUnavailable = 0x0000_0048, V2_0..=V3_0;
        PublicProtectionStorageUnavailable = 0x0000_0049, V2_0..=V3_0;
        UnknownObjectGroup = 0x0000_004A, V2_1..=V2_1;
        ConstraintViolation = 0x0000_004B, V2_1..=V3_0;
        DuplicateProcessRequest = 0x0000_004C, V2_1..=V3_0;
        CircularLinkError = 0x0000_004D, V3_0..=V3_0;
        GeneralFailure = 0x0000_0100, V1_0..=V3_0;
    }
}

enumeration! {
    /// Query Function (2.1, 11.44).
    QueryFunction {
        QueryOperations = 0x0000_0001, V1_0..=V3_0;
        QueryObjects = 0x0000_0002, V1_0..=V3_0;
        QueryServerInformation = 0x0000_0003, V1_0..=V3_0;
        QueryApplicationNamespaces = 0x0000_0004, V1_0..=V3_0;
        QueryExtensionList = 0x0000_0005, V1_1..=V3_0;
        QueryExtensionMap = 0x0000_0006, V1_1..=V3_0;
        QueryAttestationTypes = 0x0000_0007, V1_2..=V3_0;
        QueryRNGs = 0x0000_0008, V1_3..=V3_0;
        QueryValidations = 0x0000_0009, V1_3..=V3_0;
        QueryProfiles = 0x0000_000A, V1_3..=V3_0;
        QueryCapabilities = 0x0000_000B, V1_3..=V3_0;
        QueryClientRegistrationMethods = 0x0000_000C, V1_3..=V3_0;
        QueryDefaultsInformation = 0x0000_000D, V2_0..=V3_0;
        QueryStorageProtectionMasks = 0x0000_000E, V2_0..=V3_0;
        QueryCredentialInformation = 0x0000_000F, V3_0..=V3_0;
    }
}

enumeration! {
    /// Batch Error Continuation Option (2.1, 11.5).
    BatchErrorContinuationOption {
        Continue = 0x0000_0001, V1_0..=V3_0;
        Stop = 0x0000_0002, V1_0..=V3_0;
        Undo = 0x0000_0003, V1_0..=V3_0;
    }
}

enumeration! {
    /// Asynchronous Indicator (2.1, 11.3).
    AsynchronousIndicator {
        Mandatory = 0x0000_0001, V2_0..=V3_0;
        Optional = 0x0000_0002, V2_0..=V3_0;
        Prohibited = 0x0000_0003, V2_0..=V3_0;
    }
}

enumeration! {
    /// Cancellation Result (2.1, 11.7).
    CancellationResult {
        Canceled = 0x0000_0001, V1_0..=V3_0;
        UnableToCancel = 0x0000_0002, V1_0..=V3_0;
        Completed = 0x0000_0003, V1_0..=V3_0;
        Failed = 0x0000_0004, V1_0..=V3_0;
        Unavailable = 0x0000_0005, V1_0..=V3_0;
    }
}

enumeration! {
    /// Put Function (2.1, 11.43).
    PutFunction {
        New = 0x0000_0001, V1_0..=V3_0;
        Replace = 0x0000_0002, V1_0..=V3_0;
    }
}

enumeration! {
    /// Processing Stage (2.1, 11.40).
    ProcessingStage {
        Submitted = 0x0000_0001, V2_1..=V3_0;
        InProcess = 0x0000_0002, V2_1..=V3_0;
        Completed = 0x0000_0003, V2_1..=V3_0;
    }
}

enumeration! {
    /// Interop Function (2.1, 11.22).
    InteropFunction {
        Begin = 0x0000_0001, V2_0..=V3_0;
        End = 0x0000_0002, V2_0..=V3_0;
        Reset = 0x0000_0003, V2_0..=V3_0;
    }
}

enumeration! {
    /// Endpoint Role (2.1, 11.19).
    EndpointRole {
        Client = 0x0000_0001, V2_0..=V3_0;
        Server = 0x0000_0002, V2_0..=V3_0;
    }
}

enumeration! {
    /// Ephemeral (3.0).
    Ephemeral {
        Data = 0x0000_0001, V3_0..=V3_0;
        Empty = 0x0000_0002, V3_0..=V3_0;
        UniqueIdentifier = 0x0000_0003, V3_0..=V3_0;
    }
}

enumeration! {
    /// Data (2.1, 11.13).
    Data {
        Decrypt = 0x0000_0001, V2_0..=V3_0;
        Encrypt = 0x0000_0002, V2_0..=V3_0;
        Hash = 0x0000_0003, V2_0..=V3_0;
        MACMACData = 0x0000_0004, V2_0..=V3_0;
        RNGRetrieve = 0x0000_0005, V2_0..=V3_0;
        SignSignatureData = 0x0000_0006, V2_0..=V3_0;
        SignatureVerify = 0x0000_0007, V2_0..=V3_0;
    }
}

enumeration! {
    /// Unique Identifier (2.1, 11.58).
    UniqueIdentifier {
        IDPlaceholder = 0x0000_0001, V2_0..=V3_0;
        Certify = 0x0000_0002, V2_0..=V3_0;
        Create = 0x0000_0003, V2_0..=V3_0;
        CreateKeyPair = 0x0000_0004, V2_0..=V3_0;
        CreateKeyPairPrivateKey = 0x0000_0005, V2_0..=V3_0;
        CreateKeyPairPublicKey = 0x0000_0006, V2_0..=V3_0;
        CreateSplitKey = 0x0000_0007, V2_0..=V3_0;
        DeriveKey = 0x0000_0008, V2_0..=V3_0;
        Import = 0x0000_0009, V2_0..=V3_0;
        JoinSplitKey = 0x0000_000A, V2_0..=V3_0;
        Locate = 0x0000_000B, V2_0..=V3_0;
        Register = 0x0000_000C, V2_0..=V3_0;
        ReKey = 0x0000_000D, V2_0..=V3_0;
        ReCertify = 0x0000_000E, V2_0..=V3_0;
        ReKeyKeyPair = 0x0000_000F, V2_0..=V3_0;
        ReKeyKeyPairPrivateKey = 0x0000_0010, V2_0..=V3_0;
        ReKeyKeyPairPublicKey = 0x0000_0011, V2_0..=V3_0;
        ReProvision = 0x0000_0012, V3_0..=V3_0;
        CreateUser = 0x0000_0013, V3_0..=V3_0;
        CreateGroup = 0x0000_0014, V3_0..=V3_0;
        CreateCredential = 0x0000_0015, V3_0..=V3_0;
    }
}

enumeration! {
    /// Item Type (2.1, 11.23).
    ItemType {
        Structure = 0x0000_0001, V2_0..=V3_0;
        Integer = 0x0000_0002, V2_0..=V3_0;
        LongInteger = 0x0000_0003, V2_0..=V3_0;
        BigInteger = 0x0000_0004, V2_0..=V3_0;
        Enumeration = 0x0000_0005, V2_0..=V3_0;
        Boolean = 0x0000_0006, V2_0..=V3_0;
        TextString = 0x0000_0007, V2_0..=V3_0;
        ByteString = 0x0000_0008, V2_0..=V3_0;
        DateTime = 0x0000_0009, V2_0..=V3_0;
        Interval = 0x0000_000A, V2_0..=V3_0;
        DateTimeExtended = 0x0000_000B, V2_0..=V3_0;
        Identifier = 0x0000_000C, V3_0..=V3_0;
        Reference = 0x0000_000D, V3_0..=V3_0;
        NameReference = 0x0000_000E, V3_0..=V3_0;
    }
}

enumeration! {
    /// Adjustment Type (2.1, 11.1).
    AdjustmentType {
        Increment = 0x0000_0001, V2_0..=V3_0;
        Decrement = 0x0000_0002, V2_0..=V3_0;
        Negate = 0x0000_0003, V2_0..=V3_0;
    }
}

enumeration! {
    /// Attestation Type (2.1, 11.4).
    AttestationType {
        TPMQuote = 0x0000_0001, V1_2..=V3_0;
        TCGIntegrityReport = 0x0000_0002, V1_2..=V3_0;
        SAMLAssertion = 0x0000_0003, V1_2..=V3_0;
    }
}

enumeration! {
    /// Credential Type (2.1, 11.11).
    CredentialType {
        UsernameAndPassword = 0x0000_0001, V1_0..=V3_0;
        Device = 0x0000_0002, V1_1..=V3_0;
        Attestation = 0x0000_0003, V1_2..=V3_0;
        OneTimePassword = 0x0000_0004, V2_0..=V3_0;
        HashedPassword = 0x0000_0005, V2_0..=V3_0;
        Ticket = 0x0000_0006, V2_0..=V3_0;
        Password = 0x0000_0007, V3_0..=V3_0;
        Certificate = 0x0000_0008, V3_0..=V3_0;
    }
}

enumeration! {
    /// Ticket Type (2.1, 11.57).
    TicketType {
        Login = 0x0000_0001, V2_0..=V3_0;
    }
}

enumeration! {
    /// OTP Algorithm (3.0).
    OTPAlgorithm {
        HOTP = 0x0000_0001, V3_0..=V3_0;
        TOTP = 0x0000_0002, V3_0..=V3_0;
    }
}

enumeration! {
    /// Client Registration Method (2.1, 11.10).
    ClientRegistrationMethod {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        ServerPreGenerated = 0x0000_0002, V1_3..=V3_0;
        ServerOnDemand = 0x0000_0003, V1_3..=V3_0;
        ClientGenerated = 0x0000_0004, V1_3..=V3_0;
        ClientRegistered = 0x0000_0005, V1_3..=V3_0;
    }
}

enumeration! {
    /// Validity Indicator (2.1, 11.61).
    ValidityIndicator {
        Valid = 0x0000_0001, V1_0..=V3_0;
        Invalid = 0x0000_0002, V1_0..=V3_0;
        Unknown = 0x0000_0003, V1_0..=V3_0;
    }
}
