#[doc(hidden)]
#[allow(
    dead_code,
    deprecated,
    unused_qualifications,
    clippy::absolute_paths,
    clippy::pedantic,
    clippy::type_complexity,
    clippy::unnecessary_cast
)]
const _: () = {
    use ::mp_typed::__private as __mp;
    struct __Fields<'__de>(__mp::PhantomData<(&'__de (),)>);
    impl<'__de> __Fields<'__de> {
        const __1_0: __mp::Codec<'__de, u16> = __mp::payload::<u16>();
        const __2_0: __mp::Codec<'__de, u8> = __mp::payload::<u8>();
        #[allow(unused_braces)]
        const __2_1: __mp::Codec<'__de, PathBuf> = __mp::max_size::<PathBuf, { 32 }>();
    }
    #[automatically_derived]
    impl __mp::Body for Event {
        const SHAPE: __mp::Shape = __mp::Shape {
            type_name: "Event",
            form: __mp::Form::Enum,
            variants: &[
                __mp::Variant {
                    name: "Quiet",
                    fields: &[],
                },
                __mp::Variant {
                    name: "Up",
                    fields: &[__Fields::__1_0.shape("0")],
                },
                __mp::Variant {
                    name: "Down",
                    fields: &[
                        __Fields::__2_0.shape("type"),
                        __Fields::__2_1.shape("path"),
                    ],
                },
            ],
            max_fds: __mp::None,
        };
        fn encode_body<'__a>(
            &'__a self,
            __out: &mut __mp::Writer<'__a>,
        ) -> __mp::Result<(), __mp::At<__mp::EncodeFault>> {
            match self {
                Self::Quiet {} => {
                    __out.variant(0u32)?;
                }
                Self::Up { 0: __0 } => {
                    __out.variant(1u32)?;
                    __Fields::__1_0.encode(__0, "0", __out)?;
                }
                Self::r#Down { r#type: __0, path: __1 } => {
                    __out.variant(2u32)?;
                    __Fields::__2_0.encode(__0, "type", __out)?;
                    __Fields::__2_1.encode(__1, "path", __out)?;
                }
            }
            __mp::Ok(())
        }
    }
    #[automatically_derived]
    impl __mp::DecodeOwned for Event {}
    #[automatically_derived]
    impl<'__de> __mp::Decode<'__de> for Event {
        fn decode_body(
            __src: &mut __mp::Reader<'__de>,
            __fds: &mut __mp::FdSource,
        ) -> __mp::Result<Self, __mp::Undecoded> {
            match __src.variant()? {
                0u32 => {
                    __src.end()?;
                    __mp::Ok(Self::Quiet {})
                }
                1u32 => {
                    let __0 = __Fields::__1_0.decode("0", __src)?;
                    __src.end()?;
                    __mp::Ok(Self::Up { 0: __0 })
                }
                2u32 => {
                    let __0 = __Fields::__2_0.decode("type", __src)?;
                    let __1 = __Fields::__2_1.decode("path", __src)?;
                    __src.end()?;
                    __mp::Ok(Self::r#Down {
                        r#type: __0,
                        path: __1,
                    })
                }
                __other => __mp::Err(__mp::DecodeFault::UnknownVariant(__other))?,
            }
        }
    }
    const __NAME: &__mp::str = "event";
    const NAME_IS_VALID: () = __mp::check_name(__NAME);
    #[automatically_derived]
    impl __mp::Message for Event {
        const NAME: &'static __mp::str = __NAME;
    }
    #[automatically_derived]
    impl __mp::Portable for Event {}
    const FITS_IN_ONE_MESSAGE: () = __mp::check::<Event>();
};
