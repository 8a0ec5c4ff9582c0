#include "greet.h"

#include <cstdio>
#include <string>

#include "text.h"

unsigned long greet(char *out, unsigned long size, const char *whom) {
    std::string name(text_length(whom), ' ');
    text_upper(name.data(), whom);
    return static_cast<unsigned long>(std::snprintf(out, size, "HELLO, %s!", name.c_str()));
}
