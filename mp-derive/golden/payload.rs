#[doc(hidden)]
#[allow(
    dead_code,
    deprecated,
    unused_qualifications,
    clippy::absolute_paths,
    clippy::pedantic
)]
const _: () = {
    struct __Fields<'__de, T: ::mp_typed::__private::Payload, const N: usize>(
        ::mp_typed::__private::PhantomData<(&'__de (), T)>,
    )
    where
        T: Copy;
    impl<'__de, T: ::mp_typed::__private::Payload, const N: usize> __Fields<'__de, T, N>
    where
        T: Copy,
    {
        const __0_0: ::mp_typed::__private::Codec<'__de, T> = ::mp_typed::__private::payload::<
            T,
        >();
        const __0_1: ::mp_typed::__private::Codec<'__de, [T; N]> = ::mp_typed::__private::wrapped::<
            [T; N],
            T,
        >();
        const __1_0: ::mp_typed::__private::Codec<'__de, PhantomData<Pair<T, N>>> = ::mp_typed::__private::payload::<
            PhantomData<Pair<T, N>>,
        >();
    }
    #[automatically_derived]
    impl<
        T: ::mp_typed::__private::Payload,
        const N: usize,
    > ::mp_typed::__private::Payload for Pair<T, N>
    where
        T: Copy,
    {
        const MAX_SIZE: ::mp_typed::__private::usize = ::mp_typed::__private::enum_of(
            &[
                ::mp_typed::__private::sum_of(
                    &[__Fields::<T, N>::__0_0.size(), __Fields::<T, N>::__0_1.size()],
                ),
                ::mp_typed::__private::sum_of(&[__Fields::<T, N>::__1_0.size()]),
            ],
        );
        fn encode_payload(
            &self,
            __out: &mut ::mp_typed::__private::Writer<'_>,
        ) -> ::mp_typed::__private::Result<(), ::mp_typed::__private::EncodeFault> {
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
            ::mp_typed::__private::Ok(())
        }
        fn decode_payload(
            __src: &mut ::mp_typed::__private::Reader<'_>,
        ) -> ::mp_typed::__private::Result<Self, ::mp_typed::__private::DecodeFault> {
            ::mp_typed::__private::Ok(
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
                    __other => {
                        ::mp_typed::__private::Err(
                            ::mp_typed::__private::DecodeFault::UnknownVariant(__other),
                        )?
                    }
                },
            )
        }
    }
};
