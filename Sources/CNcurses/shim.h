// Wide-character curses; inline getters for what Swift cannot import (macros, unsafe globals).
#ifndef SIDETONE_CNCURSES_H
#define SIDETONE_CNCURSES_H
#define NCURSES_WIDECHAR 1
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
static inline WINDOW *nc_stdscr(void) { return stdscr; }
static inline int nc_lines(void) { return LINES; }
static inline int nc_cols(void) { return COLS; }
static inline int nc_colors(void) { return COLORS; }
static const attr_t NC_NORMAL = A_NORMAL, NC_BOLD = A_BOLD, NC_DIM = A_DIM, NC_REVERSE = A_REVERSE, NC_UNDERLINE = A_UNDERLINE;
static inline int nc_put(WINDOW *w, int y, int x, const wchar_t *s, attr_t a, int pair) {
  cchar_t c;
  if (setcchar(&c, s, a, 0, &pair) == ERR) return ERR;
  return mvwadd_wch(w, y, x, &c);
}
static inline int nc_put_text(WINDOW *w, int y, int x, const char *s, attr_t a, int pair) {
  if (wattr_set(w, a, 0, &pair) == ERR) return ERR;
  return mvwaddstr(w, y, x, s);
}
/* newterm, for initscr ends the process when it does not know the terminal. Other descriptors than 1 and 0 get streams of
   their own, which live as long as the process: only tests open such terminals. */
static inline SCREEN *nc_newterm(const char *type, int out, int in) {
  FILE *output = out == 1 ? stdout : fdopen(out, "w");
  FILE *input = in == 0 ? stdin : fdopen(in, "r");
  if (output == NULL || input == NULL) return NULL;
  return newterm(type, output, input);
}
static inline int nc_has_colors(void) { return has_colors() ? 1 : 0; }
/* 1 when the terminal's description says that a colour's number is its RGB value: the capability may be of any of three types.
   Declared here, for term.h defines words like "lines" as macros. */
extern int tigetflag(const char *);
extern int tigetnum(const char *);
extern char *tigetstr(const char *);
static inline int nc_has_rgb(void) {
  char *text = tigetstr("RGB");
  return tigetflag("RGB") == 1 || tigetnum("RGB") > 0 || (text != 0 && text != (char *)-1);
}
static inline int nc_color_pairs(void) { return COLOR_PAIRS; }
static inline int nc_get(WINDOW *w, wint_t *c) { return wget_wch(w, c); }
static inline int nc_key_f(int n) { return KEY_F(n); }
#endif
