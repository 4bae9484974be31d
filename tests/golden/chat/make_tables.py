"""Writes core/chat/chat_case_table.c and chat_class_table.c: python make_tables.py, with Python 3.11 (Unicode 14.0).

clang-format goes over them afterwards.
"""
import os
import unicodedata

assert unicodedata.unidata_version == "14.0.0"
ROOM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../core/chat/")
POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]


def braces(text):
    return "{" + ", ".join("0x%04X" % ord(character) for character in text) + "}"


def write_cases():
    with open(ROOM + "chat_case_table.c", "w") as file:
        file.write('#include "core/chat/chat_case.h"\n\n')
        file.write("/* What Python 3.11 (Unicode 14.0) makes more than one code point of, or something else in a title than above. */\n")
        file.write("const ChatCaseRow CHAT_CASE_ROWS[] = {\n    /* code point, upper case, title case */\n")
        for point in POINTS:
            upper, title = chr(point).upper(), chr(point).title()
            if len(upper) > 1 or len(title) > 1:
                file.write("    {0x%04X, %s, %s},\n" % (point, braces(upper), braces(title)))
        file.write("};\n\nconst size_t CHAT_CASE_ROW_COUNT = sizeof CHAT_CASE_ROWS / sizeof *CHAT_CASE_ROWS;\n")


def find_ranges(belongs):
    ranges = []
    for point in POINTS:
        if not belongs(chr(point)):
            continue
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return ranges


CLASSES = [
    ("DIGITS", "What is a digit besides decimal ones: superscripts, digits in circles.", lambda c: c.isdigit() and not c.isdecimal()),
    ("NUMERIC", "What is numeric among letters: CJK numerals.", lambda c: c.isnumeric() and unicodedata.category(c) not in ("Nd", "Nl", "No")),
    ("LOWER", "What is lower case and no letter of it (Ll).", lambda c: c.islower() and unicodedata.category(c) != "Ll"),
    ("UPPER", "What is upper case and no letter of it (Lu).", lambda c: c.isupper() and unicodedata.category(c) != "Lu"),
]


def write_classes():
    with open(ROOM + "chat_class_table.c", "w") as file:
        file.write('#include "core/chat/chat_case.h"\n\n')
        file.write("/* Classes of characters that no general category tells, as Python 3.11 (Unicode 14.0) has them; the last row of each is\n * empty. */\n")
        for name, what, belongs in CLASSES:
            file.write("\n/* %s */\nconst ChatClassRange CHAT_CLASS_%s[] = {\n" % (what, name))
            file.write("    " + " ".join("{0x%X, 0x%X}," % tuple(one) for one in find_ranges(belongs)) + " {0, 0},\n};\n")


write_cases()
write_classes()
