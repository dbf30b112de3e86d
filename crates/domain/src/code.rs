//! Enumerations whose members have a code of their own: the word that is stored, exchanged and read in a file.

/// Declares an enumeration with a stable code for each member.
///
/// The codes are stored, so a code never changes its meaning and is never used again for another one.
#[macro_export]
macro_rules! coded {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$member_meta:meta])* $member:ident = $code:literal, $words:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$member_meta])* #[doc = $words] $member,)+ }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The stored and exchanged code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$member => $code,)+ }
            }

            /// The words on a screen.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Self::$member => $words,)+ }
            }

            /// The member with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$member),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}
