# cmake -DINPUT=FILE -DOUTPUT=FILE.c -DNAME=IDENTIFIER -P Embed.cmake
# Writes a C file with the bytes of INPUT: `const unsigned char NAME_FILE[]` (a NUL after the last byte) and `const size_t NAME_SIZE`.
file(READ "${INPUT}" bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
get_filename_component(input_name "${INPUT}" NAME)
file(WRITE "${OUTPUT}" "/* made from ${input_name} by cmake/Embed.cmake */
#include <stddef.h>

extern const unsigned char ${NAME}_FILE[];
extern const size_t ${NAME}_SIZE;

const unsigned char ${NAME}_FILE[] = {
${bytes}0x00};
const size_t ${NAME}_SIZE = ${size};
")
