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
        const __0_0: __mp::Codec<'__de, u16> = __mp::payload::<u16>();
        const __0_1: __mp::Codec<'__de, bool> = __mp::payload::<bool>();
    }
    #[automatically_derived]
    impl __mp::Body for LinkState {
        const SHAPE: __mp::Shape = __mp::Shape {
            type_name: "LinkState",
            form: __mp::Form::Struct,
            variants: &[
                __mp::Variant {
                    name: "",
                    fields: &[__Fields::__0_0.shape("port"), __Fields::__0_1.shape("up")],
                },
            ],
            max_fds: __mp::None,
        };
        fn encode_body<'__a>(
            &'__a self,
            __out: &mut __mp::Writer<'__a>,
        ) -> __mp::Result<(), __mp::At<__mp::EncodeFault>> {
            match self {
                Self { port: __0, up: __1 } => {
                    __Fields::__0_0.encode(__0, "port", __out)?;
                    __Fields::__0_1.encode(__1, "up", __out)?;
                }
            }
            __mp::Ok(())
        }
    }
    #[automatically_derived]
    impl __mp::DecodeOwned for LinkState {}
    #[automatically_derived]
    impl<'__de> __mp::Decode<'__de> for LinkState {
        fn decode_body(
            __src: &mut __mp::Reader<'__de>,
            __fds: &mut __mp::FdSource,
        ) -> __mp::Result<Self, __mp::Undecoded> {
            let __0 = __Fields::__0_0.decode("port", __src)?;
            let __1 = __Fields::__0_1.decode("up", __src)?;
            __src.end()?;
            __mp::Ok(Self { port: __0, up: __1 })
        }
    }
    const __NAME: &__mp::str = "link_state";
    const NAME_IS_VALID: () = __mp::check_name(__NAME);
    #[automatically_derived]
    impl __mp::Message for LinkState {
        const NAME: &'static __mp::str = __NAME;
    }
    #[automatically_derived]
    impl __mp::Portable for LinkState {}
    const FITS_IN_ONE_MESSAGE: () = __mp::check::<LinkState>();
};
