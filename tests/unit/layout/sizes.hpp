// SPDX-License-Identifier: BSL-1.0
//
// The sizes of the library's types, as a translation unit with its own WEIR_CHECKED sees them.
#pragma once

#include <weir/weir.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unit {

std::vector<std::size_t> sizes_where_checked();
std::vector<std::size_t> sizes_where_not_checked();

namespace {

template <class T>
void add_sizes(std::vector<std::size_t>& sizes) {
    sizes.insert(sizes.end(),
                 {sizeof(weir::detail::list<T>), sizeof(weir::detail::ring<T>), sizeof(weir::detail::rendezvous<T>),
                  sizeof(weir::detail::channel_core<T>), sizeof(weir::sender<T>), sizeof(weir::sync_sender<T>),
                  sizeof(weir::weak_sender<T>), sizeof(weir::weak_sync_sender<T>), sizeof(weir::receiver<T>),
                  sizeof(typename weir::receiver<T>::iterator), sizeof(typename weir::receiver<T>::try_range)});
}

[[maybe_unused]] std::vector<std::size_t> sizes_here() {
    std::vector<std::size_t> sizes{sizeof(weir::detail::channel_base)};
    add_sizes<char>(sizes);
    add_sizes<std::uint64_t>(sizes);
    add_sizes<std::string>(sizes);
    add_sizes<std::array<std::byte, 1000>>(sizes);
    return sizes;
}

} // namespace
} // namespace unit
