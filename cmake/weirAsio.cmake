# Makes the target weir::asio, where Asio is: its headers, and weir::weir. It is the Asio that stands alone, or, with
# WEIR_ASIO_BOOST, Boost's. One without cancellation slots is too old, and is passed over. Included by the project and by its
# installed package.

if(NOT TARGET weir::asio)
    if(WEIR_ASIO_BOOST)
        find_path(WEIR_BOOST_ASIO_INCLUDE_DIR boost/asio/associated_cancellation_slot.hpp)
        set(weir_asio_include_dir ${WEIR_BOOST_ASIO_INCLUDE_DIR})
    else()
        find_path(WEIR_ASIO_INCLUDE_DIR asio/associated_cancellation_slot.hpp)
        set(weir_asio_include_dir ${WEIR_ASIO_INCLUDE_DIR})
    endif()
    if(weir_asio_include_dir)
        add_library(weir::asio INTERFACE IMPORTED GLOBAL)
        set_target_properties(weir::asio PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES ${weir_asio_include_dir}
            INTERFACE_LINK_LIBRARIES weir::weir
            INTERFACE_COMPILE_DEFINITIONS "$<$<BOOL:${WEIR_ASIO_BOOST}>:WEIR_ASIO_BOOST>")
    endif()
endif()
