#[doc(hidden)]
#[allow(
    dead_code,
    deprecated,
    unused_qualifications,
    clippy::absolute_paths,
    clippy::pedantic
)]
const _: () = {
    struct __Fields<'a>(my::ipc::__private::PhantomData<(&'a (),)>);
    impl<'a> __Fields<'a> {
        const __0_0: my::ipc::__private::Codec<'a, u16> = my::ipc::__private::payload::<
            u16,
        >();
        #[allow(unused_braces)]
        const __0_1: my::ipc::__private::Codec<'a, &'a str> = my::ipc::__private::max_len::<
            &'a str,
            { 2 * HALF },
        >();
    }
    #[automatically_derived]
    impl<'a> my::ipc::__private::Body for OpenRing<'a> {
        const SHAPE: my::ipc::__private::Shape = my::ipc::__private::Shape {
            type_name: "OpenRing",
            form: my::ipc::__private::Form::Struct,
            variants: &[
                my::ipc::__private::Variant {
                    name: "",
                    fields: &[
                        __Fields::__0_0.shape("port"),
                        __Fields::__0_1.shape("label"),
                    ],
                },
            ],
        };
        fn encode_body<'__a>(
            &'__a self,
            __out: &mut my::ipc::__private::Writer<'__a>,
        ) -> my::ipc::__private::Result<
            (),
            my::ipc::__private::At<my::ipc::__private::EncodeFault>,
        > {
            match self {
                Self { port: __0, label: __1 } => {
                    __Fields::__0_0.encode(__0, "port", __out)?;
                    __Fields::__0_1.encode(__1, "label", __out)?;
                }
            }
            my::ipc::__private::Ok(())
        }
    }
    #[automatically_derived]
    impl<'a> my::ipc::__private::Decode<'a> for OpenRing<'a> {
        fn decode_body(
            __src: &mut my::ipc::__private::Reader<'a>,
        ) -> my::ipc::__private::Result<
            Self,
            my::ipc::__private::At<my::ipc::__private::DecodeFault>,
        > {
            my::ipc::__private::Ok(Self {
                port: __Fields::__0_0.decode("port", __src)?,
                label: __Fields::__0_1.decode("label", __src)?,
            })
        }
    }
    const __NAME: &my::ipc::__private::str = NAMES[0];
    const NAME_IS_VALID: () = my::ipc::__private::check_name(__NAME);
    #[automatically_derived]
    impl<'a> my::ipc::__private::Request for OpenRing<'a> {
        const NAME: &'static my::ipc::__private::str = __NAME;
        type Response = Ring;
    }
    const FITS_IN_ONE_MESSAGE: () = my::ipc::__private::check::<OpenRing<'_>>();
};
