#[doc(hidden)]
#[allow(
    dead_code,
    deprecated,
    unused_qualifications,
    clippy::absolute_paths,
    clippy::pedantic
)]
const _: () = {
    struct __Fields<'a>(::mp_typed::__private::PhantomData<(&'a (),)>);
    impl<'a> __Fields<'a> {
        const __0_0: ::mp_typed::__private::FdCodec<'a, BorrowedFd<'a>> = ::mp_typed::__private::lent_fd::<
            BorrowedFd<'a>,
            _,
            false,
        >();
    }
    #[automatically_derived]
    impl<'a> ::mp_typed::__private::Body for Ring<'a> {
        const SHAPE: ::mp_typed::__private::Shape = ::mp_typed::__private::Shape {
            type_name: "Ring",
            form: ::mp_typed::__private::Form::Struct,
            variants: &[
                ::mp_typed::__private::Variant {
                    name: "",
                    fields: &[__Fields::__0_0.shape("memory")],
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
            match self {
                Self { memory: __0 } => {
                    __Fields::__0_0.encode(__0, "memory", __out)?;
                }
            }
            ::mp_typed::__private::Ok(())
        }
    }
    #[automatically_derived]
    impl<'a> ::mp_typed::__private::Response for Ring<'a> {}
    const FITS_IN_ONE_MESSAGE: () = ::mp_typed::__private::check::<Ring<'_>>();
};
