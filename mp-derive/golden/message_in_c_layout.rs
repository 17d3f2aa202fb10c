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
        const __0_0: __mp::Codec<'__de, u8> = __mp::c::<u8>();
        const __0_1: __mp::FdCodec<'__de, Option<OwnedFd>> = __mp::fd::<
            Option<OwnedFd>,
            _,
            true,
        >();
        const __0_2: __mp::Codec<'__de, u32> = __mp::c::<u32>();
        const __C: (__mp::Layout, [__mp::usize; 2usize]) = __mp::c_struct(
            [Self::__0_0.layout, Self::__0_2.layout],
            16usize,
        );
    }
    #[allow(unused_braces)]
    const __MAX_FDS: __mp::usize = 16;
    const MAX_FDS_IS_VALID: () = __mp::check_max_fds(__MAX_FDS);
    #[automatically_derived]
    impl __mp::Body for Queues {
        const SHAPE: __mp::Shape = __mp::Shape {
            type_name: "Queues",
            form: __mp::Form::C(__Fields::__C.0),
            variants: &[
                __mp::Variant {
                    name: "",
                    fields: &[
                        __Fields::__0_0.shape("kind").at(__Fields::__C.1[0usize]),
                        __Fields::__0_1.shape("memory"),
                        __Fields::__0_2.shape("count").at(__Fields::__C.1[1usize]),
                    ],
                },
            ],
            max_fds: __mp::Some(__MAX_FDS),
        };
        fn encode_body<'__a>(
            &'__a self,
            __out: &mut __mp::Writer<'__a>,
        ) -> __mp::Result<(), __mp::At<__mp::EncodeFault>> {
            let __start = __out.position();
            match self {
                Self { kind: __0, memory: __1, count: __2 } => {
                    __out.seek(__start + __Fields::__C.1[0usize])?;
                    __Fields::__0_0.encode(__0, "kind", __out)?;
                    __Fields::__0_1.encode(__1, "memory", __out)?;
                    __out.seek(__start + __Fields::__C.1[1usize])?;
                    __Fields::__0_2.encode(__2, "count", __out)?;
                }
            }
            __out.seek(__start + __Fields::__C.0.size())?;
            __mp::Ok(())
        }
    }
    #[automatically_derived]
    impl __mp::DecodeOwned for Queues {}
    #[automatically_derived]
    impl<'__de> __mp::Decode<'__de> for Queues {
        fn decode_body(
            __src: &mut __mp::Reader<'__de>,
            __fds: &mut __mp::FdSource,
        ) -> __mp::Result<Self, __mp::Undecoded> {
            let __start = __src.position();
            __src.seek(__start + __Fields::__C.1[0usize])?;
            let __0 = __Fields::__0_0.decode("kind", __src)?;
            let __1 = __Fields::__0_1.claim("memory", __src, __fds)?;
            __src.seek(__start + __Fields::__C.1[1usize])?;
            let __2 = __Fields::__0_2.decode("count", __src)?;
            __src.seek(__start + __Fields::__C.0.size())?;
            __src.end()?;
            __mp::Ok(Self {
                kind: __0,
                memory: __Fields::__0_1.take("memory", __1, __src, __fds)?,
                count: __2,
            })
        }
    }
    const __NAME: &__mp::str = "queues";
    const NAME_IS_VALID: () = __mp::check_name(__NAME);
    #[automatically_derived]
    impl __mp::Message for Queues {
        const NAME: &'static __mp::str = __NAME;
    }
    const FITS_IN_ONE_MESSAGE: () = __mp::check::<Queues>();
};
