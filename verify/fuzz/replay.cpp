// SPDX-License-Identifier: BSL-1.0
//
// Replays inputs: every file that is named, or that is in a folder that is named.
#include "fuzz.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

bool replay(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::vector<char> content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) {
        std::fprintf(stderr, "replay: cannot read %s\n", file.c_str());
        return false;
    }
    std::fprintf(stderr, "%s\n", file.c_str()); // the last one is the one that fails
    fuzz::run({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
    return true;
}

} // namespace

int main(int count, char** arguments) {
    std::size_t replayed = 0;
    for (int i = 1; i < count; ++i) {
        std::vector<std::filesystem::path> files{arguments[i]};
        if (std::filesystem::is_directory(arguments[i])) {
            const std::filesystem::directory_iterator folder(arguments[i]);
            files.assign(begin(folder), end(folder));
        }
        for (const auto& file : files) {
            if (!replay(file)) {
                return 2;
            }
            ++replayed;
        }
    }
    std::printf("replayed %zu inputs\n", replayed);
    return replayed != 0 ? 0 : 2; // nothing was shown
}
