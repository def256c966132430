/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_advice.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/self.h"
#include "util/minmax.h"

/* What runs, or compiles, a file of that name. */
static const struct {
	const char *end, *tool;
	bool compiles;
} kinds[] = {
	{ ".py", "python3", false }, { ".rb", "ruby", false }, { ".js", "node", false },
	{ ".mjs", "node", false }, { ".sh", "sh", false }, { ".pl", "perl", false },
	{ ".java", "java", false }, { ".jar", "java -jar", false }, { ".lua", "lua", false },
	{ ".c", "cc -O2 -pthread", true }, { ".cpp", "c++ -O2 -pthread", true },
	{ ".cc", "c++ -O2 -pthread", true }, { ".rs", "rustc -O", true },
	{ ".go", "go build", true },
};

static bool ends_with(const char *word, const char *end)
{
	size_t len = strlen(word), end_len = strlen(end);

	return len > end_len && !strcmp(word + len - end_len, end);
}

bool run_advice(int argc, char *const *argv, char advice[RUN_ADVICE_MAX])
{
	char words[SELF_WORDS_MAX], first[SELF_WORDS_MAX];
	const char *sudo = self_sudo(), *lab = self_command();
	struct stat st;
	size_t i = 0;

	if (argc < 1 || stat(argv[0], &st) || !S_ISREG(st.st_mode))
		return false;
	self_words(words, argc, argv);
	self_words(first, 1, argv);
	while (i < ARRAY_SIZE(kinds) && !ends_with(argv[0], kinds[i].end))
		i++;
	if (i < ARRAY_SIZE(kinds) && kinds[i].compiles)
		snprintf(advice, RUN_ADVICE_MAX,
			 "it is source code: compile it (%s -o prog%s), then %s%s run -- ./prog",
			 kinds[i].tool, first, sudo, lab);
	else if (i < ARRAY_SIZE(kinds))
		snprintf(advice, RUN_ADVICE_MAX, "the file is a script: %s%s run -- %s%s", sudo,
			 lab,
			 kinds[i].tool, words);
	else if (!strchr(argv[0], '/') && !access(argv[0], X_OK))
		snprintf(advice, RUN_ADVICE_MAX, "the file is in this folder: %s%s run -- ./%s",
			 sudo,
			 lab, words + 1);
	else if (access(argv[0], X_OK))
		snprintf(advice, RUN_ADVICE_MAX, "the file may not be executed: chmod +x%s", first);
	else
		return false;
	return true;
}
