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
    struct __Fields<'__de, T: __mp::Payload, const N: usize>(
        __mp::PhantomData<(&'__de (), T)>,
    )
    where
        T: Copy;
    impl<'__de, T: __mp::Payload, const N: usize> __Fields<'__de, T, N>
    where
        T: Copy,
    {
        const __0_0: __mp::Codec<'__de, T> = __mp::payload::<T>();
        const __0_1: __mp::Codec<'__de, [T; N]> = __mp::wrapped::<[T; N], T>();
        const __1_0: __mp::Codec<'__de, PhantomData<Pair<T, N>>> = __mp::payload::<
            PhantomData<Pair<T, N>>,
        >();
        const NO_PAYLOAD_CONTAINS_ITSELF: __mp::usize = __mp::enum_of(
            &[
                __mp::sum_of(&[Self::__0_0.size(), Self::__0_1.size()]),
                __mp::sum_of(&[Self::__1_0.size()]),
            ],
        );
    }
    #[automatically_derived]
    impl<T: __mp::Payload, const N: usize> __mp::Payload for Pair<T, N>
    where
        T: Copy,
    {
        const MAX_SIZE: __mp::usize = __Fields::<T, N>::NO_PAYLOAD_CONTAINS_ITSELF;
        const KIND: __mp::Kind = __mp::Kind::Type(
            &__mp::Shape {
                type_name: "Pair",
                form: __mp::Form::Enum,
                variants: &[
                    __mp::Variant {
                        name: "Both",
                        fields: &[
                            __Fields::<T, N>::__0_0.shape("first"),
                            __Fields::<T, N>::__0_1.shape("second"),
                        ],
                    },
                    __mp::Variant {
                        name: "Neither",
                        fields: &[__Fields::<T, N>::__1_0.shape("0")],
                    },
                ],
                max_fds: __mp::None,
            },
        );
        fn encode_payload(
            &self,
            __out: &mut __mp::Writer<'_>,
        ) -> __mp::Result<(), __mp::EncodeFault> {
            match self {
                Self::Both { first: __0, second: __1 } => {
                    __out.variant(0u32)?;
                    (__Fields::<T, N>::__0_0.put)(__0, __out)?;
                    (__Fields::<T, N>::__0_1.put)(__1, __out)?;
                }
                Self::Neither { 0: __0 } => {
                    __out.variant(1u32)?;
                    (__Fields::<T, N>::__1_0.put)(__0, __out)?;
                }
            }
            __mp::Ok(())
        }
        fn decode_payload(
            __src: &mut __mp::Reader<'_>,
        ) -> __mp::Result<Self, __mp::DecodeFault> {
            __mp::Ok(
                match __src.variant()? {
                    0u32 => {
                        Self::Both {
                            first: (__Fields::<T, N>::__0_0.get)(__src)?,
                            second: (__Fields::<T, N>::__0_1.get)(__src)?,
                        }
                    }
                    1u32 => {
                        Self::Neither {
                            0: (__Fields::<T, N>::__1_0.get)(__src)?,
                        }
                    }
                    __other => __mp::Err(__mp::DecodeFault::UnknownVariant(__other))?,
                },
            )
        }
    }
};
