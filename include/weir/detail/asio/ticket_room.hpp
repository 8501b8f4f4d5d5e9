// SPDX-License-Identifier: BSL-1.0
//
// Where the ticket of an operation lies while it is in its executor's queue: in the operation. So nothing is allocated when a wait
// ends, on whatever thread. Asio itself keeps two blocks for use again, in each thread that runs a context and in no other.
//
// What must hold: an executor has given back the memory of a function before it calls it, as Asio demands of executors. So the room is
// free again when the ticket is run, and is there until then.
#ifndef WEIR_DETAIL_ASIO_TICKET_ROOM_HPP
#define WEIR_DETAIL_ASIO_TICKET_ROOM_HPP

#include <weir/detail/asio/net.hpp>
#include <weir/detail/platform/storage.hpp>

#include <cstddef>

namespace weir::detail::inline WEIR_ASIO_KIND {

// As much as Asio's own executors need: the head of theirs, a ticket, an allocator.
struct ticket_room {
    alignas(void*) std::byte bytes[5 * sizeof(void*)];
};

// While one lives the executor that this thread posts to may take the room, once. If it asks for more, as a strand does for itself, that
// may be there longer than the operation: it comes from elsewhere.
class offered_room {
public:
    explicit offered_room(void* room) noexcept { here() = room; }
    offered_room(const offered_room&) = delete;
    offered_room& operator=(const offered_room&) = delete;
    ~offered_room() { here() = nullptr; }

    // Null where it is not offered, or too small.
    static void* take(void* room, std::size_t size, std::size_t alignment) noexcept {
        if (here() != room || size > sizeof(ticket_room) || alignment > alignof(ticket_room)) {
            return nullptr;
        }
        here() = nullptr;
        return room;
    }

private:
    struct offered {
        void* room;
    };
    static void*& here() noexcept { return per_thread<offered>::here().room; }
};

template <class T>
class ticket_allocator {
public:
    using value_type = T;

    explicit ticket_allocator(void* room) noexcept : room_(room) {}
    template <class Other>
    ticket_allocator(const ticket_allocator<Other>& other) noexcept : room_(other.room()) {}

    T* allocate(std::size_t count) {
        void* const place = offered_room::take(room_, count * sizeof(T), alignof(T));
        return place != nullptr ? static_cast<T*>(place) : recycling_allocator<T>().allocate(count);
    }
    void deallocate(T* place, std::size_t count) noexcept {
        if (place != room_) {
            recycling_allocator<T>().deallocate(place, count);
        }
    }

    void* room() const noexcept { return room_; }
    friend bool operator==(const ticket_allocator&, const ticket_allocator&) = default;

private:
    void* room_; // compared; used only while it is offered
};

} // namespace weir::detail::inline WEIR_ASIO_KIND

#endif
