// SPDX-License-Identifier: BSL-1.0
//
// Runs a program to its end and tells what came of it.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace process {

class descriptor {
public:
    explicit descriptor(int number) : number_(number) {
        if (number < 0) {
            throw std::runtime_error("no file descriptor");
        }
    }
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&&) = delete;
    ~descriptor() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }

    int number() const noexcept { return number_; }

private:
    int number_;
};

struct outcome {
    int status; // -1 where a signal ended it
    std::string out;
    std::string err;
};

// Runs a program, named by its absolute path. `setup` is called in the new process, standard output and error already
// redirected; it may change that again, or the user, or a limit. Where it returns false the status is 125.
template <class Setup>
outcome run(const std::vector<std::string>& command, Setup setup) {
    const descriptor out(::memfd_create("out", MFD_CLOEXEC));
    const descriptor err(::memfd_create("err", MFD_CLOEXEC));
    // Opened here, so that it can be run as a user who cannot reach it.
    const descriptor program(::open(command.front().c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const std::string& argument : command) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);

    const pid_t child = ::fork();
    if (child == 0) {
        if (::dup2(out.number(), STDOUT_FILENO) >= 0 && ::dup2(err.number(), STDERR_FILENO) >= 0 && setup()) {
            ::fexecve(program.number(), arguments.data(), environ);
        }
        ::_exit(125);
    }
    if (child < 0) {
        throw std::runtime_error("cannot fork");
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child) {
        throw std::runtime_error("cannot wait");
    }

    const auto contents = [](const descriptor& file) {
        std::string text;
        std::array<char, 4096> chunk;
        ::lseek(file.number(), 0, SEEK_SET);
        for (ssize_t length = 0; (length = ::read(file.number(), chunk.data(), chunk.size())) > 0;) {
            text.append(chunk.data(), static_cast<std::size_t>(length));
        }
        return text;
    };
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, contents(out), contents(err)};
}

inline outcome run(const std::vector<std::string>& command) {
    return run(command, [] { return true; });
}

inline std::string example(const std::string& name) { return WEIR_EXAMPLES_DIR "/" + name; }

} // namespace process
