# cmake -DINPUT=FILE.terminfo -DOUTPUT=FILE.c -DTIC=PROGRAM -DINFOCMP=PROGRAM -P Terminfo.cmake
# Compiles descriptions of terminals and writes each (but the parts, whose names have a +) as a row of a table in C, in the
# form that ncurses takes in the variable TERMINFO in place of a directory: "b64:" and the compiled bytes.
set(compiled ${OUTPUT}.d)
file(REMOVE_RECURSE ${compiled})
execute_process(COMMAND ${TIC} -x -o ${compiled} ${INPUT} RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "${INPUT} was not compiled")
endif()
file(STRINGS ${INPUT} names REGEX "^[a-z0-9-]+[|]")
set(rows "")
foreach(line ${names})
  string(REGEX REPLACE "[|].*" "" name "${line}")
  execute_process(COMMAND ${INFOCMP} -A ${compiled} -x -q -Q2 ${name} OUTPUT_VARIABLE text RESULT_VARIABLE failed)
  if(failed OR NOT text MATCHES "^b64:")
    message(FATAL_ERROR "${INFOCMP} does not write descriptions as text: ncurses 6.1 or newer is needed")
  endif()
  string(STRIP "${text}" text)
  string(REGEX REPLACE "\n" "\"\n     \"" text "${text}")
  string(APPEND rows "    {\"${name}\",\n     \"${text}\"},\n")
endforeach()
get_filename_component(input_name ${INPUT} NAME)
file(WRITE ${OUTPUT} "/* made from ${input_name} by cmake/Terminfo.cmake */
#include \"tui/terminal/terminal_terminfo.h\"

const TerminalTerminfo TERMINAL_TERMINFO[] = {
${rows}    {NULL, NULL}};
")
