//! Algorithms, and the forms of keys.
//!
//! Data: one row a value, with the versions that have it and the names it had before.

enumeration! {
    /// Cryptographic Algorithm (2.1, 11.12).
    CryptographicAlgorithm {
        DES = 0x0000_0001, V1_0..=V3_0;
        DES3 = 0x0000_0002, V1_0..=V3_0;
        AES = 0x0000_0003, V1_0..=V3_0;
        RSA = 0x0000_0004, V1_0..=V3_0;
        DSA = 0x0000_0005, V1_0..=V3_0;
        ECDSA = 0x0000_0006, V1_0..=V3_0;
        HMAC_SHA1 = 0x0000_0007, V1_0..=V3_0;
        HMAC_SHA224 = 0x0000_0008, V1_0..=V3_0;
        HMAC_SHA256 = 0x0000_0009, V1_0..=V3_0;
        HMAC_SHA384 = 0x0000_000A, V1_0..=V3_0;
        HMAC_SHA512 = 0x0000_000B, V1_0..=V3_0;
        HMAC_MD5 = 0x0000_000C, V1_0..=V3_0;
        DH = 0x0000_000D, V1_0..=V3_0;
        ECDH = 0x0000_000E, V1_0..=V3_0;
        ECMQV = 0x0000_000F, V1_0..=V3_0;
        Blowfish = 0x0000_0010, V1_0..=V3_0;
        Camellia = 0x0000_0011, V1_0..=V3_0;
        CAST5 = 0x0000_0012, V1_0..=V3_0;
        IDEA = 0x0000_0013, V1_0..=V3_0;
        MARS = 0x0000_0014, V1_0..=V3_0;
        RC2 = 0x0000_0015, V1_0..=V3_0;
        RC4 = 0x0000_0016, V1_0..=V3_0;
        RC5 = 0x0000_0017, V1_0..=V3_0;
        SKIPJACK = 0x0000_0018, V1_0..=V3_0;
        Twofish = 0x0000_0019, V1_0..=V3_0;
        EC = 0x0000_001A, V1_2..=V3_0;
        OneTimePad = 0x0000_001B, V1_3..=V3_0;
        ChaCha20 = 0x0000_001C, V1_4..=V3_0;
        Poly1305 = 0x0000_001D, V1_4..=V3_0;
        ChaCha20Poly1305 = 0x0000_001E, V1_4..=V3_0;
        SHA3_224 = 0x0000_001F, V1_4..=V3_0;
        SHA3_256 = 0x0000_0020, V1_4..=V3_0;
        SHA3_384 = 0x0000_0021, V1_4..=V3_0;
        SHA3_512 = 0x0000_0022, V1_4..=V3_0;
        HMAC_SHA3_224 = 0x0000_0023, V1_4..=V3_0;
        HMAC_SHA3_256 = 0x0000_0024, V1_4..=V3_0;
        HMAC_SHA3_384 = 0x0000_0025, V1_4..=V3_0;
        HMAC_SHA3_512 = 0x0000_0026, V1_4..=V3_0;
        SHAKE_128 = 0x0000_0027, V1_4..=V3_0;
        SHAKE_256 = 0x0000_0028, V1_4..=V3_0;
        ARIA = 0x0000_0029, V2_0..=V3_0;
        SEED = 0x0000_002A, V2_0..=V3_0;
        SM2 = 0x0000_002B, V2_0..=V3_0;
        SM3 = 0x0000_002C, V2_0..=V3_0;
        SM4 = 0x0000_002D, V2_0..=V3_0;
        GOSTR34_10_2012 = 0x0000_002E, V2_0..=V3_0;
        GOSTR34_11_2012 = 0x0000_002F, V2_0..=V3_0;
        GOSTR34_13_2015 = 0x0000_0030, V2_0..=V3_0;
        GOST28147_89 = 0x0000_0031, V2_0..=V3_0;
        XMSS = 0x0000_0032, V2_0..=V3_0;
        SPHINCS_256 = 0x0000_0033, V2_0..=V3_0;
        McEliece = 0x0000_0034, V2_0..=V3_0;
        McEliece_6960119 = 0x0000_0035, V2_0..=V3_0;
        McEliece_8192128 = 0x0000_0036, V2_0..=V3_0;
        Ed25519 = 0x0000_0037, V2_0..=V3_0;
        Ed448 = 0x0000_0038, V2_0..=V3_0;
        ML_KEM_512 = 0x0000_0039, V3_0..=V3_0;
        ML_KEM_768 = 0x0000_003A, V3_0..=V3_0;
        ML_KEM_1024 = 0x0000_003B, V3_0..=V3_0;
        ML_DSA_44 = 0x0000_003C, V3_0..=V3_0;
        ML_DSA_65 = 0x0000_003D, V3_0..=V3_0;
        ML_DSA_87 = 0x0000_003E, V3_0..=V3_0;
        SLH_DSA_SHA2_128s = 0x0000_003F, V3_0..=V3_0;
        SLH_DSA_SHA2_128f = 0x0000_0040, V3_0..=V3_0;
        SLH_DSA_SHA2_192s = 0x0000_0041, V3_0..=V3_0;
        SLH_DSA_SHA2_192f = 0x0000_0042, V3_0..=V3_0;
        SLH_DSA_SHA2_256s = 0x0000_0043, V3_0..=V3_0;
        SLH_DSA_SHA2_256f = 0x0000_0044, V3_0..=V3_0;
        SLH_DSA_SHAKE_128s = 0x0000_0045, V3_0..=V3_0;
        SLH_DSA_SHAKE_128f = 0x0000_0046, V3_0..=V3_0;
        SLH_DSA_SHAKE_192s = 0x0000_0047, V3_0..=V3_0;
        SLH_DSA_SHAKE_192f = 0x0000_0048, V3_0..=V3_0;
        SLH_DSA_SHAKE_256s = 0x0000_0049, V3_0..=V3_0;
        SLH_DSA_SHAKE_256f = 0x0000_004A, V3_0..=V3_0;
    }
}

enumeration! {
    /// Block Cipher Mode (2.1, 11.6).
    BlockCipherMode {
        CBC = 0x0000_0001, V1_0..=V3_0;
        ECB = 0x0000_0002, V1_0..=V3_0;
        PCBC = 0x0000_0003, V1_0..=V3_0;
        CFB = 0x0000_0004, V1_0..=V3_0;
        OFB = 0x0000_0005, V1_0..=V3_0;
        CTR = 0x0000_0006, V1_0..=V3_0;
        CMAC = 0x0000_0007, V1_0..=V3_0;
        CCM = 0x0000_0008, V1_0..=V3_0;
        GCM = 0x0000_0009, V1_0..=V3_0;
        CBC_MAC = 0x0000_000A, V1_0..=V3_0;
        XTS = 0x0000_000B, V1_0..=V3_0;
        AESKeyWrapPadding = 0x0000_000C, V1_0..=V3_0;
        NISTKeyWrap = 0x0000_000D, V1_0..=V3_0;
        X9_102AESKW = 0x0000_000E, V1_0..=V3_0;
        X9_102TDKW = 0x0000_000F, V1_0..=V3_0;
        X9_102AKW1 = 0x0000_0010, V1_0..=V3_0;
        X9_102AKW2 = 0x0000_0011, V1_0..=V3_0;
        AEAD = 0x0000_0012, V1_4..=V3_0;
    }
}

enumeration! {
    /// Padding Method (2.1, 11.37).
    PaddingMethod {
        None = 0x0000_0001, V1_0..=V3_0;
        OAEP = 0x0000_0002, V1_0..=V3_0;
        PKCS5 = 0x0000_0003, V1_0..=V3_0;
        SSL3 = 0x0000_0004, V1_0..=V3_0;
        Zeros = 0x0000_0005, V1_0..=V3_0;
        ANSIX9_23 = 0x0000_0006, V1_0..=V3_0;
        ISO10126 = 0x0000_0007, V1_0..=V3_0;
        PKCS1V1_5 = 0x0000_0008, V1_0..=V3_0;
        X9_31 = 0x0000_0009, V1_0..=V3_0;
        PSS = 0x0000_000A, V1_0..=V3_0;
    }
}

enumeration! {
    /// Hashing Algorithm (2.1, 11.21).
    HashingAlgorithm {
        MD2 = 0x0000_0001, V1_0..=V3_0;
        MD4 = 0x0000_0002, V1_0..=V3_0;
        MD5 = 0x0000_0003, V1_0..=V3_0;
        SHA_1 = 0x0000_0004, V1_0..=V3_0;
        SHA_224 = 0x0000_0005, V1_0..=V3_0;
        SHA_256 = 0x0000_0006, V1_0..=V3_0;
        SHA_384 = 0x0000_0007, V1_0..=V3_0;
        SHA_512 = 0x0000_0008, V1_0..=V3_0;
        RIPEMD_160 = 0x0000_0009, V1_0..=V3_0;
        Tiger = 0x0000_000A, V1_0..=V3_0;
        Whirlpool = 0x0000_000B, V1_0..=V3_0;
        SHA_512_224 = 0x0000_000C, V1_2..=V3_0;
        SHA_512_256 = 0x0000_000D, V1_2..=V3_0;
        SHA3_224 = 0x0000_000E, V1_4..=V3_0, "SHA_3_224" V1_4..=V1_4;
        SHA3_256 = 0x0000_000F, V1_4..=V3_0, "SHA_3_256" V1_4..=V1_4;
        SHA3_384 = 0x0000_0010, V1_4..=V3_0, "SHA_3_384" V1_4..=V1_4;
        SHA3_512 = 0x0000_0011, V1_4..=V3_0, "SHA_3_512" V1_4..=V1_4;
    }
}

enumeration! {
    /// Digital Signature Algorithm (2.1, 11.16).
    DigitalSignatureAlgorithm {
        MD2WithRSAEncryption = 0x0000_0001, V1_1..=V3_0, "MD2WithRSAEncryptionPKCS_1V1_5" V1_1..=V1_4;
        MD5WithRSAEncryption = 0x0000_0002, V1_1..=V3_0, "MD5WithRSAEncryptionPKCS_1V1_5" V1_1..=V1_4;
        SHA_1WithRSAEncryption = 0x0000_0003, V1_1..=V3_0, "SHA_1WithRSAEncryptionPKCS_1V1_5" V1_1..=V1_4;
        SHA_224WithRSAEncryption = 0x0000_0004, V1_1..=V3_0, "SHA_224WithRSAEncryptionPKCS_1V1_5" V1_1..=V1_4;
        SHA_256WithRSAEncryption = 0x0000_0005, V1_1..=V3_0, "SHA_256WithRSAEncryptionPKCS_1V1_5" V1_1..=V1_4;
        SHA_384WithRSAEncryption = 0x0000_0006, V1_1..=V3_0, "SHA_384WithRSAEncryptionPKCS_1V1_5" V1_1..=V1_4;
        SHA_512WithRSAEncryption = 0x0000_0007, V1_1..=V3_0, "SHA_512WithRSAEncryptionPKCS_1V1_5" V1_1..=V1_4;
        RSASSA_PSS = 0x0000_0008, V1_1..=V3_0, "RSASSA_PSSPKCS_1V2_1" V1_1..=V1_4;
        DSAWithSHA_1 = 0x0000_0009, V1_1..=V3_0;
        DSAWithSHA224 = 0x0000_000A, V1_1..=V3_0;
        DSAWithSHA256 = 0x0000_000B, V1_1..=V3_0;
        ECDSAWithSHA_1 = 0x0000_000C, V1_1..=V3_0;
        ECDSAWithSHA224 = 0x0000_000D, V1_1..=V3_0;
        ECDSAWithSHA256 = 0x0000_000E, V1_1..=V3_0;
        ECDSAWithSHA384 = 0x0000_000F, V1_1..=V3_0;
        ECDSAWithSHA512 = 0x0000_0010, V1_1..=V3_0;
        SHA3_256WithRSAEncryption = 0x0000_0011, V1_4..=V3_0;
        SHA3_384WithRSAEncryption = 0x0000_0012, V1_4..=V3_0;
        SHA3_512WithRSAEncryption = 0x0000_0013, V1_4..=V3_0;
    }
}

enumeration! {
    /// Mask Generator (2.1, 11.30).
    MaskGenerator {
        MGF1 = 0x0000_0001, V1_4..=V3_0, "MFG1";
    }
}

enumeration! {
    /// Recommended Curve (2.1, 11.45).
    RecommendedCurve {
        P_192 = 0x0000_0001, V1_0..=V3_0;
        K_163 = 0x0000_0002, V1_0..=V3_0;
        B_163 = 0x0000_0003, V1_0..=V3_0;
        P_224 = 0x0000_0004, V1_0..=V3_0;
        K_233 = 0x0000_0005, V1_0..=V3_0;
        B_233 = 0x0000_0006, V1_0..=V3_0;
        P_256 = 0x0000_0007, V1_0..=V3_0;
        K_283 = 0x0000_0008, V1_0..=V3_0;
        B_283 = 0x0000_0009, V1_0..=V3_0;
        P_384 = 0x0000_000A, V1_0..=V3_0;
        K_409 = 0x0000_000B, V1_0..=V3_0;
        B_409 = 0x0000_000C, V1_0..=V3_0;
        P_521 = 0x0000_000D, V1_0..=V3_0;
        K_571 = 0x0000_000E, V1_0..=V3_0;
        B_571 = 0x0000_000F, V1_0..=V3_0;
        SECP112R1 = 0x0000_0010, V1_2..=V3_0;
        SECP112R2 = 0x0000_0011, V1_2..=V3_0;
        SECP128R1 = 0x0000_0012, V1_2..=V3_0;
        SECP128R2 = 0x0000_0013, V1_2..=V3_0;
        SECP160K1 = 0x0000_0014, V1_2..=V3_0;
        SECP160R1 = 0x0000_0015, V1_2..=V3_0;
        SECP160R2 = 0x0000_0016, V1_2..=V3_0;
        SECP192K1 = 0x0000_0017, V1_2..=V3_0;
        SECP224K1 = 0x0000_0018, V1_2..=V3_0;
        SECP256K1 = 0x0000_0019, V1_2..=V3_0;
        SECT113R1 = 0x0000_001A, V1_2..=V3_0;
        SECT113R2 = 0x0000_001B, V1_2..=V3_0;
        SECT131R1 = 0x0000_001C, V1_2..=V3_0;
        SECT131R2 = 0x0000_001D, V1_2..=V3_0;
        SECT163R1 = 0x0000_001E, V1_2..=V3_0;
        SECT193R1 = 0x0000_001F, V1_2..=V3_0;
        SECT193R2 = 0x0000_0020, V1_2..=V3_0;
        SECT239K1 = 0x0000_0021, V1_2..=V3_0;
        ANSIX9P192V2 = 0x0000_0022, V1_2..=V3_0;
        ANSIX9P192V3 = 0x0000_0023, V1_2..=V3_0;
        ANSIX9P239V1 = 0x0000_0024, V1_2..=V3_0;
        ANSIX9P239V2 = 0x0000_0025, V1_2..=V3_0;
        ANSIX9P239V3 = 0x0000_0026, V1_2..=V3_0;
        ANSIX9C2PNB163V1 = 0x0000_0027, V1_2..=V3_0;
        ANSIX9C2PNB163V2 = 0x0000_0028, V1_2..=V3_0;
        ANSIX9C2PNB163V3 = 0x0000_0029, V1_2..=V3_0;
        ANSIX9C2PNB176V1 = 0x0000_002A, V1_2..=V3_0;
        ANSIX9C2TNB191V1 = 0x0000_002B, V1_2..=V3_0;
        ANSIX9C2TNB191V2 = 0x0000_002C, V1_2..=V3_0;
        ANSIX9C2TNB191V3 = 0x0000_002D, V1_2..=V3_0;
        ANSIX9C2PNB208W1 = 0x0000_002E, V1_2..=V3_0;
        ANSIX9C2TNB239V1 = 0x0000_002F, V1_2..=V3_0;
        ANSIX9C2TNB239V2 = 0x0000_0030, V1_2..=V3_0;
        ANSIX9C2TNB239V3 = 0x0000_0031, V1_2..=V3_0;
        ANSIX9C2PNB272W1 = 0x0000_0032, V1_2..=V3_0;
        ANSIX9C2PNB304W1 = 0x0000_0033, V1_2..=V3_0;
        ANSIX9C2TNB359V1 = 0x0000_0034, V1_2..=V3_0;
        ANSIX9C2PNB368W1 = 0x0000_0035, V1_2..=V3_0;
        ANSIX9C2TNB431R1 = 0x0000_0036, V1_2..=V3_0;
        BRAINPOOLP160R1 = 0x0000_0037, V1_2..=V3_0;
        BRAINPOOLP160T1 = 0x0000_0038, V1_2..=V3_0;
        BRAINPOOLP192R1 = 0x0000_0039, V1_2..=V3_0;
        BRAINPOOLP192T1 = 0x0000_003A, V1_2..=V3_0;
        BRAINPOOLP224R1 = 0x0000_003B, V1_2..=V3_0;
        BRAINPOOLP224T1 = 0x0000_003C, V1_2..=V3_0;
        BRAINPOOLP256R1 = 0x0000_003D, V1_2..=V3_0;
        BRAINPOOLP256T1 = 0x0000_003E, V1_2..=V3_0;
        BRAINPOOLP320R1 = 0x0000_003F, V1_2..=V3_0;
        BRAINPOOLP320T1 = 0x0000_0040, V1_2..=V3_0;
        BRAINPOOLP384R1 = 0x0000_0041, V1_2..=V3_0;
        BRAINPOOLP384T1 = 0x0000_0042, V1_2..=V3_0;
        BRAINPOOLP512R1 = 0x0000_0043, V1_2..=V3_0;
        BRAINPOOLP512T1 = 0x0000_0044, V1_2..=V3_0;
        CURVE25519 = 0x0000_0045, V2_0..=V3_0;
        CURVE448 = 0x0000_0046, V2_0..=V3_0;
    }
}

enumeration! {
    /// Key Format Type (2.1, 11.25).
    KeyFormatType {
        Raw = 0x0000_0001, V1_0..=V3_0;
        Opaque = 0x0000_0002, V1_0..=V3_0;
        PKCS_1 = 0x0000_0003, V1_0..=V3_0;
        PKCS_8 = 0x0000_0004, V1_0..=V3_0;
        X_509 = 0x0000_0005, V1_0..=V3_0;
        ECPrivateKey = 0x0000_0006, V1_0..=V3_0;
        TransparentSymmetricKey = 0x0000_0007, V1_0..=V3_0;
        TransparentDSAPrivateKey = 0x0000_0008, V1_0..=V3_0;
        TransparentDSAPublicKey = 0x0000_0009, V1_0..=V3_0;
        TransparentRSAPrivateKey = 0x0000_000A, V1_0..=V3_0;
        TransparentRSAPublicKey = 0x0000_000B, V1_0..=V3_0;
        TransparentDHPrivateKey = 0x0000_000C, V1_0..=V3_0;
        TransparentDHPublicKey = 0x0000_000D, V1_0..=V3_0;
        TransparentECDSAPrivateKey = 0x0000_000E, V1_0..=V1_4;
        TransparentECDSAPublicKey = 0x0000_000F, V1_0..=V1_4;
        TransparentECDHPrivateKey = 0x0000_0010, V1_0..=V1_4;
        TransparentECDHPublicKey = 0x0000_0011, V1_0..=V1_4;
        TransparentECMQVPrivateKey = 0x0000_0012, V1_0..=V1_4;
        TransparentECMQVPublicKey = 0x0000_0013, V1_0..=V1_4;
        TransparentECPrivateKey = 0x0000_0014, V1_3..=V3_0;
        TransparentECPublicKey = 0x0000_0015, V1_3..=V3_0;
        PKCS_12 = 0x0000_0016, V1_4..=V3_0;
        PKCS_10 = 0x0000_0017, V2_0..=V3_0;
    }
}

enumeration! {
    /// Key Compression Type (2.1, 11.24).
    KeyCompressionType {
        ECPublicKeyTypeUncompressed = 0x0000_0001, V1_0..=V3_0;
        ECPublicKeyTypeX9_62CompressedPrime = 0x0000_0002, V1_0..=V3_0;
        ECPublicKeyTypeX9_62CompressedChar2 = 0x0000_0003, V1_0..=V3_0;
        ECPublicKeyTypeX9_62Hybrid = 0x0000_0004, V1_0..=V3_0;
    }
}

enumeration! {
    /// Key Role Type (2.1, 11.26).
    KeyRoleType {
        BDK = 0x0000_0001, V1_0..=V3_0;
        CVK = 0x0000_0002, V1_0..=V3_0;
        DEK = 0x0000_0003, V1_0..=V3_0;
        MKAC = 0x0000_0004, V1_0..=V3_0;
        MKSMC = 0x0000_0005, V1_0..=V3_0;
        MKSMI = 0x0000_0006, V1_0..=V3_0;
        MKDAC = 0x0000_0007, V1_0..=V3_0;
        MKDN = 0x0000_0008, V1_0..=V3_0;
        MKCP = 0x0000_0009, V1_0..=V3_0;
        MKOTH = 0x0000_000A, V1_0..=V3_0;
        KEK = 0x0000_000B, V1_0..=V3_0;
        MAC16609 = 0x0000_000C, V1_0..=V3_0;
        MAC97971 = 0x0000_000D, V1_0..=V3_0;
        MAC97972 = 0x0000_000E, V1_0..=V3_0;
        MAC97973 = 0x0000_000F, V1_0..=V3_0;
        MAC97974 = 0x0000_0010, V1_0..=V3_0;
        MAC97975 = 0x0000_0011, V1_0..=V3_0;
        ZPK = 0x0000_0012, V1_0..=V3_0;
        PVKIBM = 0x0000_0013, V1_0..=V3_0;
        PVKPVV = 0x0000_0014, V1_0..=V3_0;
        PVKOTH = 0x0000_0015, V1_0..=V3_0;
        DUKPT = 0x0000_0016, V1_4..=V3_0;
        IV = 0x0000_0017, V1_4..=V3_0;
        TRKBK = 0x0000_0018, V1_4..=V3_0;
    }
}

enumeration! {
    /// Key Wrap Type (2.1, 11.29).
    KeyWrapType {
        NotWrapped = 0x0000_0001, V1_4..=V3_0;
        AsRegistered = 0x0000_0002, V1_4..=V3_0;
    }
}

enumeration! {
    /// Wrapping Method (2.1, 11.62).
    WrappingMethod {
        Encrypt = 0x0000_0001, V1_0..=V3_0;
        MACSign = 0x0000_0002, V1_0..=V3_0;
        EncryptThenMACSign = 0x0000_0003, V1_0..=V3_0;
        MACSignThenEncrypt = 0x0000_0004, V1_0..=V3_0;
        TR_31 = 0x0000_0005, V1_0..=V3_0;
    }
}

enumeration! {
    /// Encoding Option (2.1, 11.18).
    EncodingOption {
        NoEncoding = 0x0000_0001, V1_1..=V3_0;
        TTLVEncoding = 0x0000_0002, V1_1..=V3_0;
    }
}

enumeration! {
    /// Derivation Method (2.1, 11.14).
    DerivationMethod {
        PBKDF2 = 0x0000_0001, V1_0..=V3_0;
        HASH = 0x0000_0002, V1_0..=V3_0;
        HMAC = 0x0000_0003, V1_0..=V3_0;
        ENCRYPT = 0x0000_0004, V1_0..=V3_0;
        NIST800_108_C = 0x0000_0005, V1_0..=V3_0;
        NIST800_108_F = 0x0000_0006, V1_0..=V3_0;
        NIST800_108_DPI = 0x0000_0007, V1_0..=V3_0;
        AsymmetricKey = 0x0000_0008, V1_4..=V3_0;
        AWSSignatureVersion4 = 0x0000_0009, V2_0..=V3_0;
        HKDF = 0x0000_000A, V2_0..=V3_0;
    }
}

enumeration! {
    /// Split Key Method (2.1, 11.54).
    SplitKeyMethod {
        XOR = 0x0000_0001, V1_0..=V3_0;
        PolynomialSharingGF2_16 = 0x0000_0002, V1_0..=V3_0, "PolynomialSharingGF216";
        PolynomialSharingPrimeField = 0x0000_0003, V1_0..=V3_0;
        PolynomialSharingGF2_8 = 0x0000_0004, V1_2..=V3_0, "PolynomialSharingGF28";
    }
}

enumeration! {
    /// Split Key Polynomial (3.0).
    SplitKeyPolynomial {
        Polynomial_283 = 0x0000_0001, V3_0..=V3_0;
        Polynomial_285 = 0x0000_0002, V3_0..=V3_0;
    }
}

enumeration! {
    /// RNG Algorithm (2.1, 11.49).
    RNGAlgorithm {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        FIPS186_2 = 0x0000_0002, V1_3..=V3_0;
        DRBG = 0x0000_0003, V1_3..=V3_0;
        NRBG = 0x0000_0004, V1_3..=V3_0;
        ANSIX9_31 = 0x0000_0005, V1_3..=V3_0;
        ANSIX9_62 = 0x0000_0006, V1_3..=V3_0;
    }
}

enumeration! {
    /// RNG Mode (2.1, 11.50).
    RNGMode {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        SharedInstantiation = 0x0000_0002, V1_3..=V3_0;
        NonSharedInstantiation = 0x0000_0003, V1_3..=V3_0;
    }
}

enumeration! {
    /// DRBG Algorithm (2.1, 11.17).
    DRBGAlgorithm {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        Dual_EC = 0x0000_0002, V1_3..=V3_0;
        Hash = 0x0000_0003, V1_3..=V3_0;
        HMAC = 0x0000_0004, V1_3..=V3_0;
        CTR = 0x0000_0005, V1_3..=V3_0;
    }
}

enumeration! {
    /// FIPS186 Variation (2.1, 11.20).
    FIPS186Variation {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        GPXOriginal = 0x0000_0002, V1_3..=V3_0;
        GPXChangeNotice = 0x0000_0003, V1_3..=V3_0;
        XOriginal = 0x0000_0004, V1_3..=V3_0;
        XChangeNotice = 0x0000_0005, V1_3..=V3_0;
        KOriginal = 0x0000_0006, V1_3..=V3_0;
        KChangeNotice = 0x0000_0007, V1_3..=V3_0;
    }
}

enumeration! {
    /// NIST Key Type (2.1, 11.32).
    NISTKeyType {
        PrivateSignatureKey = 0x0000_0001, V2_0..=V3_0;
        PublicSignatureVerificationKey = 0x0000_0002, V2_0..=V3_0;
        SymmetricAuthenticationKey = 0x0000_0003, V2_0..=V3_0;
        PrivateAuthenticationKey = 0x0000_0004, V2_0..=V3_0;
        PublicAuthenticationKey = 0x0000_0005, V2_0..=V3_0;
        SymmetricDataEncryptionKey = 0x0000_0006, V2_0..=V3_0;
        SymmetricKeyWrappingKey = 0x0000_0007, V2_0..=V3_0;
        SymmetricRandomNumberGenerationKey = 0x0000_0008, V2_0..=V3_0;
        SymmetricMasterKey = 0x0000_0009, V2_0..=V3_0;
        PrivateKeyTransportKey = 0x0000_000A, V2_0..=V3_0;
        PublicKeyTransportKey = 0x0000_000B, V2_0..=V3_0;
        SymmetricKeyAgreementKey = 0x0000_000C, V2_0..=V3_0;
        PrivateStaticKeyAgreementKey = 0x0000_000D, V2_0..=V3_0;
        PublicStaticKeyAgreementKey = 0x0000_000E, V2_0..=V3_0;
        PrivateEphemeralKeyAgreementKey = 0x0000_000F, V2_0..=V3_0;
        PublicEphemeralKeyAgreementKey = 0x0000_0010, V2_0..=V3_0;
        SymmetricAuthorizationKey = 0x0000_0011, V2_0..=V3_0;
        PrivateAuthorizationKey = 0x0000_0012, V2_0..=V3_0;
        PublicAuthorizationKey = 0x0000_0013, V2_0..=V3_0;
    }
}

enumeration! {
    /// Unwrap Mode (2.1, 11.59).
    UnwrapMode {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        Processed = 0x0000_0002, V1_3..=V3_0;
        NotProcessed = 0x0000_0003, V1_3..=V3_0;
    }
}

enumeration! {
    /// Destroy Action (2.1, 11.15).
    DestroyAction {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        KeyMaterialDeleted = 0x0000_0002, V1_3..=V3_0;
        KeyMaterialShredded = 0x0000_0003, V1_3..=V3_0;
        MetaDataDeleted = 0x0000_0004, V1_3..=V3_0;
        MetaDataShredded = 0x0000_0005, V1_3..=V3_0;
        Deleted = 0x0000_0006, V1_3..=V3_0;
        Shredded = 0x0000_0007, V1_3..=V3_0;
    }
}

enumeration! {
    /// Shredding Algorithm (2.1, 11.53).
    ShreddingAlgorithm {
        Unspecified = 0x0000_0001, V1_3..=V3_0;
        Cryptographic = 0x0000_0002, V1_3..=V3_0;
        Unsupported = 0x0000_0003, V1_3..=V3_0;
    }
}
