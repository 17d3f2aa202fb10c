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
    clippy::pedantic,
    clippy::type_complexity,
    clippy::unnecessary_cast
)]
const _: () = {
    use ::mp_typed::__private as __mp;
    struct __Fields<'__de>(__mp::PhantomData<(&'__de (),)>);
    impl<'__de> __Fields<'__de> {
        const __0_1: __mp::Codec<'__de, u16> = __mp::payload::<u16>();
    }
    #[automatically_derived]
    impl __mp::Body for OpenRing {
        const SHAPE: __mp::Shape = __mp::Shape::EMPTY;
        fn encode_body<'__a>(
            &'__a self,
            _: &mut __mp::Writer<'__a>,
        ) -> __mp::Result<(), __mp::At<__mp::EncodeFault>> {
            __mp::never_built()
        }
    }
    #[automatically_derived]
    impl __mp::DecodeOwned for OpenRing {}
    #[automatically_derived]
    impl<'__de> __mp::Decode<'__de> for OpenRing {
        fn decode_body(
            _: &mut __mp::Reader<'__de>,
            _: &mut __mp::FdSource,
        ) -> __mp::Result<Self, __mp::Undecoded> {
            __mp::never_built()
        }
    }
    #[automatically_derived]
    impl __mp::Request for OpenRing {
        const NAME: &'static __mp::str = "?";
        type Response = Ring;
    }
};
