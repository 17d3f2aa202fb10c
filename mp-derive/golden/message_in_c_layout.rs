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
        const __0_0: ::mp_typed::__private::Codec<'__de, u8> = ::mp_typed::__private::c::<
            u8,
        >();
        const __0_1: ::mp_typed::__private::FdCodec<'__de, Option<OwnedFd>> = ::mp_typed::__private::fd::<
            Option<OwnedFd>,
            _,
            true,
        >();
        const __0_2: ::mp_typed::__private::Codec<'__de, u32> = ::mp_typed::__private::c::<
            u32,
        >();
        const __C: (
            ::mp_typed::__private::Layout,
            [::mp_typed::__private::usize; 2usize],
        ) = ::mp_typed::__private::c_struct([Self::__0_0.layout, Self::__0_2.layout]);
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Body for Queues {
        const SHAPE: ::mp_typed::__private::Shape = ::mp_typed::__private::Shape {
            type_name: "Queues",
            form: ::mp_typed::__private::Form::C(__Fields::__C.0),
            variants: &[
                ::mp_typed::__private::Variant {
                    name: "",
                    fields: &[
                        __Fields::__0_0.shape("kind").at(__Fields::__C.1[0usize]),
                        __Fields::__0_1.shape("memory"),
                        __Fields::__0_2.shape("count").at(__Fields::__C.1[1usize]),
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
            ::mp_typed::__private::Ok(())
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::DecodeOwned for Queues {}
    #[automatically_derived]
    impl<'__de> ::mp_typed::__private::Decode<'__de> for Queues {
        fn decode_body(
            __src: &mut ::mp_typed::__private::Reader<'__de>,
        ) -> ::mp_typed::__private::Result<
            Self,
            ::mp_typed::__private::At<::mp_typed::__private::DecodeFault>,
        > {
            let __start = __src.position();
            let __value = Self {
                kind: {
                    __src.seek(__start + __Fields::__C.1[0usize])?;
                    __Fields::__0_0.decode("kind", __src)?
                },
                memory: __Fields::__0_1.decode("memory", __src)?,
                count: {
                    __src.seek(__start + __Fields::__C.1[1usize])?;
                    __Fields::__0_2.decode("count", __src)?
                },
            };
            __src.seek(__start + __Fields::__C.0.size())?;
            ::mp_typed::__private::Ok(__value)
        }
    }
    const __NAME: &::mp_typed::__private::str = "queues";
    const NAME_IS_VALID: () = ::mp_typed::__private::check_name(__NAME);
    #[automatically_derived]
    impl ::mp_typed::__private::Message for Queues {
        const NAME: &'static ::mp_typed::__private::str = __NAME;
    }
    const FITS_IN_ONE_MESSAGE: () = ::mp_typed::__private::check::<Queues>();
};
