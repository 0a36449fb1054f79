//! Who is asking: the client is its certificate.
