// SPDX-License-Identifier: BSL-1.0
//
// Runs models under Relacy, and says of each in a line of JSON how that ended.

#include "checker/model.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

// Relacy replaces the plain forms alone, and those inline: the others must lead to them, whatever the compiler inlines.
// And memory may be out.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    if (model::allocations_that_may_fail > 0 && model::choose(2) == 1) {
        --model::allocations_that_may_fail;
        return nullptr;
    }
    return ::operator new(size);
}
void operator delete(void* place, std::size_t) noexcept { ::operator delete(place); }
void operator delete[](void* place, std::size_t) noexcept { ::operator delete[](place); }

namespace model {

namespace {

using weir::detail::steady_clock;

const description* current = nullptr;

template <unsigned Threads>
class suite : public rl::test_suite<suite<Threads>, Threads> {
public:
    void before() {
        now_running.begin();
        allocations_that_may_fail = 0;
        steady_clock::reset();
        model_ = current->make();
    }
    void thread(unsigned index) { model_->run(index); }
    void after() {
        allocations_that_may_fail = 0;
        steady_clock::reset();
        delete model_;
        check(now_running.alive == 0, "each message that was made is destroyed, once");
        now_running.end();
    }

private:
    any_model* model_ = nullptr;
};

struct options {
    bool random = false;
    bool quick = false;
    bool trace = false;
    unsigned long amount = ~0ul; // the bound, or the number of random executions; else as the model says
};

template <unsigned Threads>
void search(rl::test_params& params) {
    std::ostringstream state;
    if (params.search_type == rl::sched_random) {
        rl::run_test<suite<Threads>, rl::random_scheduler<Threads>>(params, state, false);
    } else {
        rl::run_test<suite<Threads>, rl::context_bound_scheduler<Threads>>(params, state, false);
    }
    params.initial_state = state.str(); // a failure's
}

void search(rl::test_params& params) { current->threads == 2 ? search<2>(params) : search<3>(params); }

// A list of names, as JSON.
std::string quoted(const std::string& names) {
    std::string all;
    std::istringstream left(names);
    for (std::string name; std::getline(left, name, ',');) {
        all += (all.empty() ? "\"" : ", \"") + name + "\"";
    }
    return all;
}

void print_tally() {
    std::cout << "{\"parked\": " << seen.parked << ", \"woken\": " << seen.woken
              << ", \"timed out\": " << seen.timed_out << ", \"barriers\": " << seen.barriers
              << ", \"stale loads\": " << seen.stale << ", \"slept for a lock\": " << seen.contended;
    std::istringstream names(current->notes);
    size_t index = 0;
    for (std::string name; std::getline(names, name, ',');) {
        std::cout << ", \"" << name << "\": " << seen.noted[index++];
    }
    std::cout << "}";
}

// True: no failure.
bool run_one(const options& how) {
    rl::test_params params;
    std::ostringstream told;
    std::ostream nowhere(nullptr);
    params.output_stream = &told;
    params.progress_stream = &nowhere;
    params.search_type = how.random ? rl::sched_random : rl::sched_bound;
    const bool is_given = how.amount != ~0ul;
    params.context_bound =
        is_given ? static_cast<unsigned>(how.amount) : (how.quick ? current->quick_bound : current->bound);
    params.iteration_count = is_given ? how.amount : (how.quick ? current->random / 10 : current->random);
    params.execution_depth_limit = 4000;
    seen = {};
    const auto start = std::chrono::steady_clock::now();
    search(params);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;

    const bool good = params.test_result == rl::test_result_success;
    std::cout << "{\"model\": \"" << current->name << "\", \"protocol\": \"" << current->protocol
              << "\", \"threads\": " << current->threads << ", \"search\": \"" << (how.random ? "random" : "exhaustive")
              << "\", \"bound\": " << params.context_bound << ", \"executions\": " << params.stop_iteration
              << ", \"result\": \"" << (good ? "ok" : rl::test_result_str(params.test_result))
              << "\", \"seconds\": " << took.count() << ", \"needs\": ["
              << quoted(std::string(current->notes) + "," + current->needs) << "], \"seen\": ";
    print_tally();
    std::cout << "}" << std::endl;
    if (how.trace && !good) {
        params.collect_history = true;
        search(params);
        std::cerr << told.str();
    }
    return good;
}

} // namespace

int run_models(std::span<const description> models, int count, char** arguments) {
    options how;
    bool until_failure = false;
    std::string_view wanted;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--random") {
            how.random = true;
        } else if (argument == "--quick") {
            how.quick = true;
        } else if (argument == "--until-failure") {
            until_failure = true;
        } else if (argument == "--trace") {
            how.trace = true;
        } else if (argument == "--amount" && i + 1 < count) {
            how.amount = std::strtoul(arguments[++i], nullptr, 10);
        } else if (argument == "--list") {
            for (const description& model : models) {
                std::cout << model.name << "\n";
            }
            return 0;
        } else {
            wanted = argument;
        }
    }
    bool good = true;
    bool found = false;
    for (const description& model : models) {
        if (wanted.empty() || wanted == model.name) {
            current = &model;
            found = true;
            good = run_one(how) && good;
            if (!good && until_failure) {
                return 1;
            }
        }
    }
    if (!found) {
        std::cerr << "there is no model " << wanted << "\n";
        return 2;
    }
    return good ? 0 : 1;
}

} // namespace model
