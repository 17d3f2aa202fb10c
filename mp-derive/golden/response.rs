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
        const __0_0: ::mp_typed::__private::Codec<'__de, Geometry> = ::mp_typed::__private::payload::<
            Geometry,
        >();
        const __0_1: ::mp_typed::__private::FdCodec<'__de, OwnedFd> = ::mp_typed::__private::fd::<
            OwnedFd,
            _,
            false,
        >();
        #[allow(unused_braces)]
        const __0_2: ::mp_typed::__private::FdCodec<'__de, Vec<OwnedFd>> = ::mp_typed::__private::fd_list::<
            Vec<OwnedFd>,
            _,
            { 2 },
            false,
        >();
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Body for Ring {
        const SHAPE: ::mp_typed::__private::Shape = ::mp_typed::__private::Shape {
            type_name: "Ring",
            form: ::mp_typed::__private::Form::Struct,
            variants: &[
                ::mp_typed::__private::Variant {
                    name: "",
                    fields: &[
                        __Fields::__0_0.shape("0"),
                        __Fields::__0_1.shape("1"),
                        __Fields::__0_2.shape("2"),
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
                Self { 0: __0, 1: __1, 2: __2 } => {
                    __Fields::__0_0.encode(__0, "0", __out)?;
                    __Fields::__0_1.encode(__1, "1", __out)?;
                    __Fields::__0_2.encode(__2, "2", __out)?;
                }
            }
            ::mp_typed::__private::Ok(())
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::DecodeOwned for Ring {}
    #[automatically_derived]
    impl<'__de> ::mp_typed::__private::Decode<'__de> for Ring {
        fn decode_body(
            __src: &mut ::mp_typed::__private::Reader<'__de>,
        ) -> ::mp_typed::__private::Result<
            Self,
            ::mp_typed::__private::At<::mp_typed::__private::DecodeFault>,
        > {
            ::mp_typed::__private::Ok(Self {
                0: __Fields::__0_0.decode("0", __src)?,
                1: __Fields::__0_1.decode("1", __src)?,
                2: __Fields::__0_2.decode("2", __src)?,
            })
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Response for Ring {}
    const FITS_IN_ONE_MESSAGE: () = ::mp_typed::__private::check::<Ring>();
};
