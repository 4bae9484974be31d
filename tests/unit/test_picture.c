/* A canvas as a file: drawing, coloured text, text. */
#include "tests/unit/scratch.h"
#include "tests/unit/xml_check.h"
#include "tui/canvas/picture.h"
#include "tui/canvas/picture_svg.h"

static const Theme COLOURED = {.depth = THEME_256};

static Canvas *make(int rows, int columns) {
    Canvas *canvas;
    assert_int_equal(canvas_create(rows, columns, COLOURED, &canvas, NULL), STATUS_OK);
    return canvas;
}

/* What picture_write() writes; the caller frees it. */
static char *written(const Canvas *canvas, PictureFormat format, const char *title) {
    char *text = NULL;
    size_t bytes;
    Error error = {0};
    FILE *file = open_memstream(&text, &bytes);
    assert_non_null(file);
    if (picture_write(canvas, format, title, file, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void expect_well_formed(const char *svg) {
    XmlCheck check = xml_check(svg);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
}

static void the_checker_tells_xml_from_what_is_none(void **state) {
    static const char *const GOOD[] = {"<a/>", "<a b=\"c\"><d>x &lt; y</d>\n</a>\n", "<a>é]]</a>"};
    static const char *const BAD[] = {"",
                                      "<a>",
                                      "<a></b>",
                                      "<a/><b/>",
                                      "<a>&x;</a>",
                                      "<a>\x1b</a>",
                                      "<a b=c/>",
                                      "<a b=\"<\"/>",
                                      "<a>]]></a>",
                                      "x<a/>",
                                      "<a>\xff</a>",
                                      "<a>a & b</a>",
                                      "<a b=\"1\" b=\"2\"/>",
                                      "<a",
                                      "<a>\xEF\xBF\xBF</a>"};
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        assert_string_equal(xml_check(GOOD[i]).problem, "");
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) assert_true(xml_check(BAD[i]).problem[0] != '\0');
}

static void a_drawing_is_well_formed_whatever_is_on_screen(void **state) {
    static const char HOSTILE[] =
        "</text><script>alert(1)</script>\x1b[31m&amp;]]>\"'\xEF\xBF\xBF\xEF\xBF\xBE\xff";
    Canvas *canvas = make(4, 120);
    Rect area = canvas_area(canvas);
    (void)state;
    (void)canvas_write_raw(canvas, area, 0, 0, ROLE_TEXT, TEXT_PLAIN, HOSTILE, sizeof HOSTILE - 1);
    (void)canvas_write(canvas, area, 1, 0, ROLE_ERROR, HOSTILE); /* not escaped: the canvas guards itself */
    (void)canvas_write(canvas, area, 2, 0, ROLE_SELECTED, "日本語 e\u0301 ▀▄█░▖ ─┼╱");
    char *svg = written(canvas, PICTURE_SVG, HOSTILE);
    expect_well_formed(svg);
    assert_null(strstr(svg, "<script"));
    assert_null(strchr(svg, '\x1b'));
    assert_non_null(strstr(svg, "&lt;script>"));
    free(svg);
    canvas_free(canvas);
}

static void a_drawing_of_nothing_is_one_too(void **state) {
    (void)state;
    for (int size = 0; size < 2; size++) {
        Canvas *canvas = make(size, size);
        char *svg = written(canvas, PICTURE_SVG, "");
        expect_well_formed(svg);
        assert_int_equal(xml_check(svg).texts, 0);
        free(svg);
        canvas_free(canvas);
    }
}

static void the_same_canvas_gives_the_same_bytes(void **state) {
    Canvas *canvas = make(6, 40);
    (void)state;
    for (int row = 0; row < 6; row++)
        (void)canvas_print(canvas, canvas_area(canvas), row, row, (Role)(row + 3), "row %d ▀▀▀ ü", row);
    for (PictureFormat format = 0; format < PICTURE_FORMAT_COUNT; format++) {
        char *first = written(canvas, format, "t"), *second = written(canvas, format, "t");
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
    canvas_free(canvas);
}

static void half_blocks_are_rectangles_that_meet(void **state) {
    Canvas *canvas = make(1, 4);
    Style style = {THEME_RGB | 0x102030, THEME_RGB | 0x405060, 0};
    (void)state;
    (void)canvas_write_styled(canvas, canvas_area(canvas), 0, 1, style, "▀▀");
    char *svg = written(canvas, PICTURE_SVG, "");
    /* two cells as one: the background 16 × 16 from 8 on, its upper half 16 × 8 over it */
    assert_non_null(strstr(svg, "<path fill=\"#405060\" d=\"M8 0h16v16h-16z\"/>"));
    assert_non_null(strstr(svg, "<path fill=\"#102030\" d=\"M8 0h16v8h-16z\"/>"));
    assert_int_equal(xml_check(svg).texts, 0);
    free(svg);
    canvas_free(canvas);
}

static void colours_are_the_themes_and_reverse_swaps_them(void **state) {
    Canvas *canvas = make(1, 8);
    uint8_t rgb[3];
    char front[16];
    (void)state;
    (void)canvas_write(canvas, canvas_area(canvas), 0, 0, ROLE_SFT, "sft");
    (void)canvas_write(canvas, canvas_area(canvas), 0, 4, ROLE_SELECTED, "x");
    theme_rgb(theme_style(&COLOURED, ROLE_SFT).foreground, rgb);
    (void)snprintf(front, sizeof front, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
    canvas->theme.kind = THEME_DARK;
    char *dark = written(canvas, PICTURE_SVG, "");
    canvas->theme.kind = THEME_LIGHT;
    char *light = written(canvas, PICTURE_SVG, "");
    assert_non_null(strstr(dark, front));
    assert_non_null(strstr(light, front));
    assert_non_null(strstr(light, "fill=\"#ffffff\"/>")); /* the ground */
    assert_non_null(
        strstr(light, "<path fill=\"#1f2328\" d=\"M32 0h8v16h-8z\"/>")); /* behind the reversed x */
    assert_null(strstr(dark, "#1f2328"));
    free(dark);
    free(light);
    canvas_free(canvas);
}

static void a_theme_that_paints_has_its_own_ground(void **state) {
    Canvas *canvas = make(2, 6);
    (void)state;
    canvas->theme.kind = THEME_HIGH_CONTRAST;
    (void)canvas_write_styled(canvas, canvas_area(canvas), 0, 0,
                              (Style){196, THEME_DEFAULT_COLOUR, THEME_BOLD}, "a");
    char *svg = written(canvas, PICTURE_SVG, ""), *ansi = written(canvas, PICTURE_ANSI, "");
    assert_non_null(strstr(svg, "fill=\"#000000\"/>")); /* palette colour 16 */
    assert_null(strstr(svg, "#16181d"));
    /* white on black to the end of every line, and plain after it */
    assert_string_equal(ansi,
                        "\033[0;1;38;5;196;48;5;16ma\033[0;38;5;231;48;5;16m     \033[0m\n"
                        "\033[0;38;5;231;48;5;16m      \033[0m\n");
    free(svg);
    free(ansi);
    canvas->theme.depth = THEME_MONO; /* nothing is painted there */
    svg = written(canvas, PICTURE_SVG, "");
    assert_non_null(strstr(svg, "fill=\"#16181d\"/>"));
    free(svg);
    canvas_free(canvas);
}

static void coloured_text_ends_every_line_plain_and_moves_no_cursor(void **state) {
    Canvas *canvas = make(3, 20);
    Rect area = canvas_area(canvas);
    (void)state;
    (void)canvas_write_styled(canvas, area, 0, 0, (Style){196, THEME_DEFAULT_COLOUR, THEME_BOLD}, "ab");
    (void)canvas_write(canvas, area, 0, 2, ROLE_TEXT, "c");
    (void)canvas_write_styled(canvas, area, 1, 1, (Style){1, 12, THEME_UNDERLINE}, "d ");
    (void)canvas_write_styled(canvas, area, 2, 0, (Style){THEME_RGB | 0x010203, 255, THEME_REVERSE}, "日");
    char *ansi = written(canvas, PICTURE_ANSI, "title");
    assert_string_equal(ansi,
                        "\033[0;1;38;5;196mab\033[0mc\n"
                        " \033[0;4;31;104md \033[0m\n"
                        "\033[0;7;38;2;1;2;3;48;5;255m日\033[0m\n");
    free(ansi);
    canvas_free(canvas);
}

static void text_is_what_a_dump_has(void **state) {
    Canvas *canvas = make(2, 10);
    char *dump;
    (void)state;
    (void)canvas_write(canvas, canvas_area(canvas), 1, 2, ROLE_ERROR, "héllo");
    assert_int_equal(canvas_to_text(canvas, &dump, NULL), STATUS_OK);
    char *text = written(canvas, PICTURE_TEXT, "title");
    assert_string_equal(text, dump);
    assert_string_equal(text, "\n  héllo\n");
    free(text);
    free(dump);
    canvas_free(canvas);
}

static void the_end_of_a_name_says_the_format(void **state) {
    PictureFormat format;
    (void)state;
    assert_true(picture_find_format("a.svg", &format) && format == PICTURE_SVG);
    assert_true(picture_find_format("dir.txt/a.ANSI", &format) && format == PICTURE_ANSI);
    assert_true(picture_find_format("a.ans", &format) && format == PICTURE_ANSI);
    assert_true(picture_find_format("a.svg.txt", &format) && format == PICTURE_TEXT);
    static const char *const NONE[] = {"a.png", "a", "", ".svg", "svg", "a.svg "};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++)
        assert_false(picture_find_format(NONE[i], &format));
}

static void nothing_is_written_over_and_no_part_stays(void **state) {
    Canvas *canvas = make(2, 10);
    char *path = scratch_path("a.svg"), *other = scratch_path("a.png"), *nowhere = scratch_path("none/a.svg");
    Error error;
    struct stat facts;
    (void)state;
    assert_int_equal(picture_save(canvas, "t", path, &error), STATUS_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(picture_save(canvas, "t", path, &error), STATUS_IO);
    assert_int_equal(picture_save(canvas, "t", other, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, ".svg, .ansi or .txt"));
    assert_int_not_equal(stat(other, &facts), 0);
    assert_int_equal(picture_save(canvas, "t", nowhere, &error), STATUS_IO);
    free(path);
    free(other);
    free(nowhere);
    canvas_free(canvas);
}

static void a_full_disk_is_told(void **state) {
    Canvas *canvas = make(2, 10);
    Error error;
    (void)state;
    for (PictureFormat format = 0; format < PICTURE_FORMAT_COUNT; format++) {
        FILE *full = fopen("/dev/full", "w");
        assert_non_null(full);
        assert_int_equal(picture_write(canvas, format, "t", full, &error), STATUS_IO);
        (void)fclose(full); /* fails again, as it must */
    }
    canvas_free(canvas);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checker_tells_xml_from_what_is_none),
        cmocka_unit_test(a_drawing_is_well_formed_whatever_is_on_screen),
        cmocka_unit_test(a_drawing_of_nothing_is_one_too),
        cmocka_unit_test(the_same_canvas_gives_the_same_bytes),
        cmocka_unit_test(half_blocks_are_rectangles_that_meet),
        cmocka_unit_test(colours_are_the_themes_and_reverse_swaps_them),
        cmocka_unit_test(a_theme_that_paints_has_its_own_ground),
        cmocka_unit_test(coloured_text_ends_every_line_plain_and_moves_no_cursor),
        cmocka_unit_test(text_is_what_a_dump_has),
        cmocka_unit_test(the_end_of_a_name_says_the_format),
        cmocka_unit_test(nothing_is_written_over_and_no_part_stays),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
