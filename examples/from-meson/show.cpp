// Reads the module that cratewright made and says how large it is.
#include <cstdint>
#include <cstdio>

int main() {
    std::FILE *file = std::fopen(SHADERS, "rb");
    std::uint32_t words[5] = {};
    if (!file || std::fread(words, sizeof words, 1, file) != 1 || words[0] != 0x07230203) return 1;
    std::fseek(file, 0, SEEK_END);
    std::printf("%ld bytes of SPIR-V 1.%u\n", std::ftell(file), (words[1] >> 8) & 0xff);
    return 0;
}
