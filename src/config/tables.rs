//! From one description of each knob: the structs of a configuration with their defaults, and the rows of the table.

/// Makes the structs of the tables with their defaults, and the rows, from one description of each knob.
macro_rules! tables {
    ($(
        #[doc = $about:literal]
        $table:ident: $Table:ident {
            $( $(#[doc = $meaning:literal])+ $key:ident: $type:ty = $default:expr, $row:expr; )+
        }
        $( short $short:expr; )*
    )+) => {
        /// A whole experiment: one value for every knob.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            /// The preset underneath: a built-in name or a path to a TOML file.
            pub recipe: String,
            $( #[doc = $about] pub $table: $Table, )+
        }

        impl Default for Config {
            /// The built-in values: those of the recipe `baseline`.
            fn default() -> Self {
                Config { recipe: "baseline".into(), $( $table: $Table::default(), )+ }
            }
        }

        $(
            #[doc = $about]
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $Table {
                $( $(#[doc = $meaning])+ pub $key: $type, )+
            }

            impl Default for $Table {
                fn default() -> Self {
                    $Table { $( $key: $default, )+ }
                }
            }
        )+

        /// Every knob, table by table.
        pub static KNOBS: &[Knob] = &[
            Knob {
                name: RECIPE,
                meaning: "The preset underneath: a built-in name or a path to a TOML file.",
                value: |config| Value::try_from(&config.recipe).ok(),
                ..knob(Takes::Pattern { choices: recipes::choices, fits: |_| true, hint: |_| String::new() }, "config").flag("--recipe").without_numbers().resumable()
            },
            $(
                $( Knob {
                    name: concat!(stringify!($table), ".", stringify!($key)),
                    meaning: concat!($($meaning),+).trim_ascii_start(),
                    value: |config| Value::try_from(&config.$table.$key).ok(),
                    ..$row
                }, )+
                $( $short, )*
            )+
        ];
    };
}

pub(super) use tables;
