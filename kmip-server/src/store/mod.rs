//! Where managed objects live: three verbs, and every engine under one contract suite.

/// A place that keeps records.
pub trait Store: Send + Sync {}
