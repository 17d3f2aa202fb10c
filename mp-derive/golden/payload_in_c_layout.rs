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
        const __0_1: ::mp_typed::__private::Codec<'__de, u32> = ::mp_typed::__private::c::<
            u32,
        >();
        const __C: (
            ::mp_typed::__private::Layout,
            [::mp_typed::__private::usize; 2usize],
        ) = ::mp_typed::__private::c_struct([Self::__0_0.layout, Self::__0_1.layout]);
    }
    #[automatically_derived]
    impl ::mp_typed::__private::CField for Inner {
        const LAYOUT: ::mp_typed::__private::Layout = __Fields::__C.0;
        fn encode_c(
            &self,
            __out: &mut ::mp_typed::__private::Writer<'_>,
        ) -> ::mp_typed::__private::Result<(), ::mp_typed::__private::EncodeFault> {
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
            ::mp_typed::__private::Ok(())
        }
        fn decode_c(
            __src: &mut ::mp_typed::__private::Reader<'_>,
        ) -> ::mp_typed::__private::Result<Self, ::mp_typed::__private::DecodeFault> {
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
            ::mp_typed::__private::Ok(__value)
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Payload for Inner {
        const MAX_SIZE: ::mp_typed::__private::usize = __Fields::__C.0.size();
        fn encode_payload(
            &self,
            __out: &mut ::mp_typed::__private::Writer<'_>,
        ) -> ::mp_typed::__private::Result<(), ::mp_typed::__private::EncodeFault> {
            ::mp_typed::__private::CField::encode_c(self, __out)
        }
        fn decode_payload(
            __src: &mut ::mp_typed::__private::Reader<'_>,
        ) -> ::mp_typed::__private::Result<Self, ::mp_typed::__private::DecodeFault> {
            ::mp_typed::__private::CField::decode_c(__src)
        }
    }
};
