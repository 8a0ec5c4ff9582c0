#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Returns how many bytes come before the first zero. */
unsigned long text_length(const char *text);

/* Writes `text` in capitals to `out`, which has room for it and a zero. */
void text_upper(char *out, const char *text);

#ifdef __cplusplus
}
#endif
