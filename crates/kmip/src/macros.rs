//! What makes a structure of the standard out of its list of items.

/// Defines a KMIP structure: its items in the order of the standard, each with its tag.
///
/// ```text
/// Tag => field: Type,                   in every version
/// Tag / Tag2 => field: Type,            under Tag in 1.x and under Tag2 from 2.0 on
/// Tag [V1_4..] => field: Option<Type>,  sent from 1.4 on and to no older client
/// ```
///
/// An item that the peer's version does not have is never sent. When read it is taken where it
/// stands, because clients send new items in old versions. The list is data too: `Encode::FIELDS`.
macro_rules! structure {
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$field_doc:meta])* $tag:ident $(/ $tag2:ident)? $([$($range:tt)+])?
                => $field:ident: $ty:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl $crate::codec::Encode for $name {
            const FIELDS: &'static [$crate::codec::Field] = &[$($crate::codec::Field {
                name: stringify!($field),
                tag: $crate::macros::newest_tag!($tag $(, $tag2)?),
                is_in: |version| {
                    let _ = version;
                    true $(&& ($($range)+).contains(&version))?
                },
                fields: <$ty as $crate::codec::Encode>::FIELDS,
            },)*];

            #[inline]
            fn encode(&self, tag: ttlv::Tag, w: &mut ttlv::Writer, version: $crate::Version) {
                w.structure(tag, |w| {
                    $(
                        if true $(&& ($($range)+).contains(&version))? {
                            let tag = $crate::macros::tag!(version, $tag $(, $tag2)?);
                            $crate::codec::Encode::encode(&self.$field, tag, w, version);
                        }
                    )*
                    let _ = (w, version);
                });
            }
        }

        impl $crate::codec::Decode for $name {
            #[inline]
            fn decode(
                tag: ttlv::Tag,
                r: &mut ttlv::Reader<'_>,
                version: $crate::Version,
            ) -> Result<Self, ttlv::Error> {
                let mut inside = r.enter(tag)?;
                let r = &mut inside;
                $(let $field = {
                    let tag = $crate::macros::tag!(version, $tag $(, $tag2)?);
                    $crate::codec::Decode::decode(tag, r, version)?
                };)*
                r.finish(tag)?;
                let _ = version;
                // Made last, so that it is written once, where the caller wants it.
                Ok(Self { $($field,)* })
            }
        }
    };
}

/// The tag of an item: one, or one for 1.x and one for 2.x.
macro_rules! tag {
    ($version:ident, $tag:ident) => {
        $crate::vocabulary::tags::$tag
    };
    ($version:ident, $tag:ident, $tag2:ident) => {
        if $version >= $crate::Version::V2_0 {
            $crate::vocabulary::tags::$tag2
        } else {
            $crate::vocabulary::tags::$tag
        }
    };
}

/// The tag of an item in the newest version.
macro_rules! newest_tag {
    ($tag:ident) => {
        $crate::vocabulary::tags::$tag
    };
    ($tag:ident, $tag2:ident) => {
        $crate::vocabulary::tags::$tag2
    };
}

pub(crate) use newest_tag;
pub(crate) use structure;
pub(crate) use tag;
