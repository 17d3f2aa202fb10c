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
    use my::ipc::__private as __mp;
    struct __Fields<'a>(__mp::PhantomData<(&'a (),)>);
    impl<'a> __Fields<'a> {
        const __0_0: __mp::Codec<'a, u16> = __mp::payload::<u16>();
        #[allow(unused_braces)]
        const __0_1: __mp::Codec<'a, &'a str> = __mp::max_len::<&'a str, { 2 * HALF }>();
    }
    #[automatically_derived]
    impl<'a> __mp::Body for OpenRing<'a> {
        const SHAPE: __mp::Shape = __mp::Shape {
            type_name: "OpenRing",
            form: __mp::Form::Struct,
            variants: &[
                __mp::Variant {
                    name: "",
                    fields: &[
                        __Fields::__0_0.shape("port"),
                        __Fields::__0_1.shape("label"),
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
                Self { port: __0, label: __1 } => {
                    __Fields::__0_0.encode(__0, "port", __out)?;
                    __Fields::__0_1.encode(__1, "label", __out)?;
                }
            }
            __mp::Ok(())
        }
    }
    #[automatically_derived]
    impl<'a> __mp::Decode<'a> for OpenRing<'a> {
        fn decode_body(
            __src: &mut __mp::Reader<'a>,
            __fds: &mut __mp::FdSource,
        ) -> __mp::Result<Self, __mp::Undecoded> {
            let __0 = __Fields::__0_0.decode("port", __src)?;
            let __1 = __Fields::__0_1.decode("label", __src)?;
            __src.end()?;
            __mp::Ok(Self { port: __0, label: __1 })
        }
    }
    const __NAME: &__mp::str = NAMES[0];
    const NAME_IS_VALID: () = __mp::check_name(__NAME);
    const RESPONSE_FITS_IN_ONE_MESSAGE: () = __mp::check_response::<OpenRing<'_>>();
    #[automatically_derived]
    impl<'a> __mp::Request for OpenRing<'a> {
        const NAME: &'static __mp::str = __NAME;
        type Response = Ring;
    }
    #[automatically_derived]
    impl<'a> __mp::Portable for OpenRing<'a> {}
    const FITS_IN_ONE_MESSAGE: () = __mp::check::<OpenRing<'_>>();
};
