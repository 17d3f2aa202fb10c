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
    struct __Fields<'a>(__mp::PhantomData<(&'a (),)>);
    impl<'a> __Fields<'a> {
        const __0_0: __mp::FdCodec<'a, BorrowedFd<'a>> = __mp::lent_fd::<
            BorrowedFd<'a>,
            _,
            false,
        >();
    }
    #[automatically_derived]
    impl<'a> __mp::Body for LentRing<'a> {
        const SHAPE: __mp::Shape = __mp::Shape {
            type_name: "LentRing",
            form: __mp::Form::Struct,
            variants: &[
                __mp::Variant {
                    name: "",
                    fields: &[__Fields::__0_0.shape("memory")],
                },
            ],
            max_fds: __mp::None,
        };
        fn encode_body<'__a>(
            &'__a self,
            __out: &mut __mp::Writer<'__a>,
        ) -> __mp::Result<(), __mp::At<__mp::EncodeFault>> {
            match self {
                Self { memory: __0 } => {
                    __Fields::__0_0.encode(__0, "memory", __out)?;
                }
            }
            __mp::Ok(())
        }
    }
    #[automatically_derived]
    impl<'a> __mp::SentAs<LentRing<'a>> for LentRing<'a> {}
    #[automatically_derived]
    impl<'a> __mp::Response for LentRing<'a> {}
    #[automatically_derived]
    impl<'a> __mp::SentAs<Ring> for LentRing<'a> {}
    const SAME_ON_THE_WIRE: () = __mp::check_sent_as::<LentRing<'_>, Ring>();
    const FITS_IN_ONE_MESSAGE: () = __mp::check::<LentRing<'_>>();
};
