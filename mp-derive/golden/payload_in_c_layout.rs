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
        const __0_1: __mp::Codec<'__de, u32> = __mp::c::<u32>();
        const __C: (__mp::Layout, [__mp::usize; 2usize]) = __mp::c_struct(
            [Self::__0_0.layout, Self::__0_1.layout],
            1usize,
        );
    }
    #[automatically_derived]
    impl __mp::CField for Inner {
        const LAYOUT: __mp::Layout = __Fields::__C.0;
        const KIND: __mp::Kind = __mp::Kind::Type(
            &__mp::Shape {
                type_name: "Inner",
                form: __mp::Form::C(__Fields::__C.0),
                variants: &[
                    __mp::Variant {
                        name: "",
                        fields: &[
                            __Fields::__0_0.shape("kind").at(__Fields::__C.1[0usize]),
                            __Fields::__0_1.shape("count").at(__Fields::__C.1[1usize]),
                        ],
                    },
                ],
                max_fds: __mp::None,
            },
        );
        fn encode_c(
            &self,
            __out: &mut __mp::Writer<'_>,
        ) -> __mp::Result<(), __mp::EncodeFault> {
            let __start = __out.position();
            match self {
                Self { kind: __0, count: __1 } => {
                    __out.seek(__start + __Fields::__C.1[0usize])?;
                    (__Fields::__0_0.put)(__0, __out)?;
                    __out.seek(__start + __Fields::__C.1[1usize])?;
                    (__Fields::__0_1.put)(__1, __out)?;
                }
            }
            __out.seek(__start + __Fields::__C.0.size())?;
            __mp::Ok(())
        }
        fn decode_c(
            __src: &mut __mp::Reader<'_>,
        ) -> __mp::Result<Self, __mp::DecodeFault> {
            let __start = __src.position();
            let __value = Self {
                kind: {
                    __src.seek(__start + __Fields::__C.1[0usize])?;
                    (__Fields::__0_0.get)(__src)?
                },
                count: {
                    __src.seek(__start + __Fields::__C.1[1usize])?;
                    (__Fields::__0_1.get)(__src)?
                },
            };
            __src.seek(__start + __Fields::__C.0.size())?;
            __mp::Ok(__value)
        }
    }
    #[automatically_derived]
    impl __mp::Payload for Inner {
        const MAX_SIZE: __mp::usize = __Fields::__C.0.size();
        const KIND: __mp::Kind = <Self as __mp::CField>::KIND;
        fn encode_payload(
            &self,
            __out: &mut __mp::Writer<'_>,
        ) -> __mp::Result<(), __mp::EncodeFault> {
            __mp::CField::encode_c(self, __out)
        }
        fn decode_payload(
            __src: &mut __mp::Reader<'_>,
        ) -> __mp::Result<Self, __mp::DecodeFault> {
            __mp::CField::decode_c(__src)
        }
    }
};
