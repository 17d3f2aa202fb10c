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
        const __0_0: __mp::Codec<'__de, Geometry> = __mp::payload::<Geometry>();
        const __0_1: __mp::FdCodec<'__de, OwnedFd> = __mp::fd::<OwnedFd, _, false>();
        #[allow(unused_braces)]
        const __0_2: __mp::FdCodec<'__de, Vec<OwnedFd>> = __mp::fd_list::<
            Vec<OwnedFd>,
            _,
            { 2 },
            false,
        >();
    }
    #[automatically_derived]
    impl __mp::Body for Ring {
        const SHAPE: __mp::Shape = __mp::Shape {
            type_name: "Ring",
            form: __mp::Form::Struct,
            variants: &[
                __mp::Variant {
                    name: "",
                    fields: &[
                        __Fields::__0_0.shape("0"),
                        __Fields::__0_1.shape("1"),
                        __Fields::__0_2.shape("2"),
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
                Self { 0: __0, 1: __1, 2: __2 } => {
                    __Fields::__0_0.encode(__0, "0", __out)?;
                    __Fields::__0_1.encode(__1, "1", __out)?;
                    __Fields::__0_2.encode(__2, "2", __out)?;
                }
            }
            __mp::Ok(())
        }
    }
    #[automatically_derived]
    impl __mp::DecodeOwned for Ring {}
    #[automatically_derived]
    impl<'__de> __mp::Decode<'__de> for Ring {
        fn decode_body(
            __src: &mut __mp::Reader<'__de>,
            __fds: &mut __mp::FdSource,
        ) -> __mp::Result<Self, __mp::Undecoded> {
            let __0 = __Fields::__0_0.decode("0", __src)?;
            let __1 = __Fields::__0_1.claim("1", __src, __fds)?;
            let __2 = __Fields::__0_2.claim("2", __src, __fds)?;
            __src.end()?;
            __mp::Ok(Self {
                0: __0,
                1: __Fields::__0_1.take("1", __1, __src, __fds)?,
                2: __Fields::__0_2.take("2", __2, __src, __fds)?,
            })
        }
    }
    #[automatically_derived]
    impl __mp::SentAs<Ring> for Ring {}
    #[automatically_derived]
    impl __mp::Response for Ring {}
    const FITS_IN_ONE_MESSAGE: () = __mp::check::<Ring>();
};
