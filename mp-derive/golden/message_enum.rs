#[doc(hidden)]
#[allow(
    dead_code,
    deprecated,
    unused_qualifications,
    clippy::absolute_paths,
    clippy::pedantic
)]
const _: () = {
    struct __Fields<'__de>(::mp_typed::__private::PhantomData<(&'__de (),)>);
    impl<'__de> __Fields<'__de> {
        const __1_0: ::mp_typed::__private::Codec<'__de, u16> = ::mp_typed::__private::payload::<
            u16,
        >();
        const __2_0: ::mp_typed::__private::Codec<'__de, u8> = ::mp_typed::__private::payload::<
            u8,
        >();
        #[allow(unused_braces)]
        const __2_1: ::mp_typed::__private::Codec<'__de, PathBuf> = ::mp_typed::__private::max_size::<
            PathBuf,
            { 32 },
        >();
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Body for Event {
        const SHAPE: ::mp_typed::__private::Shape = ::mp_typed::__private::Shape {
            type_name: "Event",
            form: ::mp_typed::__private::Form::Enum,
            variants: &[
                ::mp_typed::__private::Variant {
                    name: "Quiet",
                    fields: &[],
                },
                ::mp_typed::__private::Variant {
                    name: "Up",
                    fields: &[__Fields::__1_0.shape("0")],
                },
                ::mp_typed::__private::Variant {
                    name: "Down",
                    fields: &[
                        __Fields::__2_0.shape("type"),
                        __Fields::__2_1.shape("path"),
                    ],
                },
            ],
        };
        fn encode_body<'__a>(
            &'__a self,
            __out: &mut ::mp_typed::__private::Writer<'__a>,
        ) -> ::mp_typed::__private::Result<
            (),
            ::mp_typed::__private::At<::mp_typed::__private::EncodeFault>,
        > {
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
            ::mp_typed::__private::Ok(())
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::DecodeOwned for Event {}
    #[automatically_derived]
    impl<'__de> ::mp_typed::__private::Decode<'__de> for Event {
        fn decode_body(
            __src: &mut ::mp_typed::__private::Reader<'__de>,
        ) -> ::mp_typed::__private::Result<
            Self,
            ::mp_typed::__private::At<::mp_typed::__private::DecodeFault>,
        > {
            ::mp_typed::__private::Ok(
                match __src.variant()? {
                    0u32 => Self::Quiet {},
                    1u32 => {
                        Self::Up {
                            0: __Fields::__1_0.decode("0", __src)?,
                        }
                    }
                    2u32 => {
                        Self::r#Down {
                            r#type: __Fields::__2_0.decode("type", __src)?,
                            path: __Fields::__2_1.decode("path", __src)?,
                        }
                    }
                    __other => {
                        ::mp_typed::__private::Err(
                            ::mp_typed::__private::DecodeFault::UnknownVariant(__other),
                        )?
                    }
                },
            )
        }
    }
    const __NAME: &::mp_typed::__private::str = "event";
    const NAME_IS_VALID: () = ::mp_typed::__private::check_name(__NAME);
    #[automatically_derived]
    impl ::mp_typed::__private::Message for Event {
        const NAME: &'static ::mp_typed::__private::str = __NAME;
    }
    const FITS_IN_ONE_MESSAGE: () = ::mp_typed::__private::check::<Event>();
};
