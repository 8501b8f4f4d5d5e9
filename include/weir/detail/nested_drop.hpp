// SPDX-License-Identifier: BSL-1.0
//
// Dropping channels whose messages hold channels whose messages hold channels, on a bounded stack.
//
// Down to eight levels below the outermost an inner channel is emptied before its handle's reset() returns. A deeper
// one is put on a list of the thread's, which the outermost drop works off before it returns.
#ifndef WEIR_DETAIL_NESTED_DROP_HPP
#define WEIR_DETAIL_NESTED_DROP_HPP

#include <weir/detail/platform/config.hpp>

namespace weir::detail {

class droppable {
public:
    virtual void drop() noexcept = 0;

protected:
    ~droppable() = default;

private:
    friend class nested_drop;
    droppable* put_off_next_ = nullptr;
};

class nested_drop {
public:
    static void run(droppable& channel) noexcept {
        state& here = state_;
        if (here.depth == deepest) {
            channel.put_off_next_ = here.put_off;
            here.put_off = &channel;
            return;
        }
        ++here.depth;
        channel.drop();
        while (here.depth == 1 && here.put_off != nullptr) {
            droppable* const next = here.put_off;
            here.put_off = next->put_off_next_;
            next->drop();
        }
        --here.depth;
    }

    // Whether this thread is inside a drop.
    static bool is_under_way() noexcept { return state_.depth != 0; }

private:
    static constexpr int deepest = 9; // the outermost and eight inside it

    // Constant initialised and trivially destroyed: usable at any time of a thread's life.
    struct state {
        int depth;
        droppable* put_off;
    };
    static constinit inline thread_local state state_{0, nullptr};
};

} // namespace weir::detail

#endif
