#include "text.h"

static char upper(char letter) { return letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter; }

void text_upper(char *out, const char *text) {
    unsigned long length = text_length(text);
    for (unsigned long i = 0; i <= length; i++) out[i] = upper(text[i]);
}
