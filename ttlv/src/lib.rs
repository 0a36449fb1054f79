//! ttlv.
