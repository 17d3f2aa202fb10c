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
        const __0_0: ::mp_typed::__private::Codec<'__de, u16> = ::mp_typed::__private::payload::<
            u16,
        >();
        const __0_1: ::mp_typed::__private::Codec<'__de, bool> = ::mp_typed::__private::payload::<
            bool,
        >();
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Body for LinkState {
        const SHAPE: ::mp_typed::__private::Shape = ::mp_typed::__private::Shape {
            type_name: "LinkState",
            form: ::mp_typed::__private::Form::Struct,
            variants: &[
                ::mp_typed::__private::Variant {
                    name: "",
                    fields: &[__Fields::__0_0.shape("port"), __Fields::__0_1.shape("up")],
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
                Self { port: __0, up: __1 } => {
                    __Fields::__0_0.encode(__0, "port", __out)?;
                    __Fields::__0_1.encode(__1, "up", __out)?;
                }
            }
            ::mp_typed::__private::Ok(())
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::DecodeOwned for LinkState {}
    #[automatically_derived]
    impl<'__de> ::mp_typed::__private::Decode<'__de> for LinkState {
        fn decode_body(
            __src: &mut ::mp_typed::__private::Reader<'__de>,
        ) -> ::mp_typed::__private::Result<
            Self,
            ::mp_typed::__private::At<::mp_typed::__private::DecodeFault>,
        > {
            ::mp_typed::__private::Ok(Self {
                port: __Fields::__0_0.decode("port", __src)?,
                up: __Fields::__0_1.decode("up", __src)?,
            })
        }
    }
    const __NAME: &::mp_typed::__private::str = "link_state";
    const NAME_IS_VALID: () = ::mp_typed::__private::check_name(__NAME);
    #[automatically_derived]
    impl ::mp_typed::__private::Message for LinkState {
        const NAME: &'static ::mp_typed::__private::str = __NAME;
    }
    const FITS_IN_ONE_MESSAGE: () = ::mp_typed::__private::check::<LinkState>();
};
