::core::compile_error! {
    "a message name cannot be empty"
}
::core::compile_error! {
    "unknown key `max_lne` in `#[message(...)]`; did you mean `max_len`?"
}
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
        const __0_1: ::mp_typed::__private::Codec<'__de, u16> = ::mp_typed::__private::payload::<
            u16,
        >();
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Body for OpenRing {
        const SHAPE: ::mp_typed::__private::Shape = ::mp_typed::__private::Shape::EMPTY;
        fn encode_body<'__a>(
            &'__a self,
            _: &mut ::mp_typed::__private::Writer<'__a>,
        ) -> ::mp_typed::__private::Result<
            (),
            ::mp_typed::__private::At<::mp_typed::__private::EncodeFault>,
        > {
            ::mp_typed::__private::never_built()
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::DecodeOwned for OpenRing {}
    #[automatically_derived]
    impl<'__de> ::mp_typed::__private::Decode<'__de> for OpenRing {
        fn decode_body(
            _: &mut ::mp_typed::__private::Reader<'__de>,
        ) -> ::mp_typed::__private::Result<
            Self,
            ::mp_typed::__private::At<::mp_typed::__private::DecodeFault>,
        > {
            ::mp_typed::__private::never_built()
        }
    }
    #[automatically_derived]
    impl ::mp_typed::__private::Request for OpenRing {
        const NAME: &'static ::mp_typed::__private::str = "?";
        type Response = Ring;
    }
};
