/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_UTIL_LOG_H
#define LAB_UTIL_LOG_H

/*
 * log - lab's own messages, on stderr.
 *
 * Every line starts "lab: ". The formatted message is made safe for a
 * terminal before it is written (text_for_terminal), so a hostile task name
 * or path in an argument cannot reach the terminal raw. A message is one
 * sentence without a trailing newline.
 */

enum log_level {
	LOG_ERR = 0,
	LOG_WARN = 1,
	LOG_INFO = 2,	/* the default */
	LOG_DEBUG = 3,
};

/* The only mutable global of the program. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

#endif /* LAB_UTIL_LOG_H */
