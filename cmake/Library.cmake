# librejuv: core/ for other programs, static and shared (-DREJUV_LIBRARY=ON). Its headers are the doors of core's rooms, as
# tests/rooms has them, and its symbols what those headers declare: all else is hidden, so that it can change.

# library_doors(ROOM VARIABLE): the paths of a room's door headers, relative to the sources.
function(library_doors room variable)
  file(STRINGS ${CMAKE_SOURCE_DIR}/tests/rooms line REGEX "^${room}:")
  string(REGEX REPLACE ".*doors " "" words "${line}")
  separate_arguments(words)
  set(doors "")
  foreach(word ${words})
    if(word STREQUAL "*")
      file(GLOB all RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${room}/*.h)
      list(FILTER all EXCLUDE REGEX "_internal[.]h$")
      list(APPEND doors ${all})
    elseif(word MATCHES "^-(.*)$")
      list(REMOVE_ITEM doors ${room}/${CMAKE_MATCH_1}.h)
    else()
      list(APPEND doors ${room}/${word}.h)
    endif()
  endforeach()
  set(${variable} ${doors} PARENT_SCOPE)
endfunction()

# library_closure(VARIABLE HEADER …): they, and the headers of core that they include.
function(library_closure variable)
  set(found "")
  set(todo ${ARGN})
  while(todo)
    list(POP_FRONT todo header)
    if(NOT header IN_LIST found)
      list(APPEND found ${header})
      file(STRINGS ${CMAKE_SOURCE_DIR}/${header} includes REGEX "^#include \"")
      list(TRANSFORM includes REPLACE "^#include \"([^\"]*)\".*" "\\1")
      list(APPEND todo ${includes})
    endif()
  endwhile()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# library_symbols(VARIABLE HEADER …): functions and tables that the headers declare.
function(library_symbols variable)
  set(symbols "")
  foreach(header ${ARGN})
    file(STRINGS ${CMAKE_SOURCE_DIR}/${header} functions REGEX "^[A-Za-z_][A-Za-z0-9_ ]*[ *][a-z0-9_]+[(]")
    list(TRANSFORM functions REPLACE "^[A-Za-z_][A-Za-z0-9_ ]*[ *]([a-z0-9_]+)[(].*" "\\1")
    file(STRINGS ${CMAKE_SOURCE_DIR}/${header} lines REGEX "^extern const ")
    string(REGEX MATCHALL "[A-Z][A-Z0-9_]+" tables "${lines}")
    list(APPEND symbols ${functions} ${tables})
  endforeach()
  list(REMOVE_DUPLICATES symbols)
  list(SORT symbols)
  set(${variable} ${symbols} PARENT_SCOPE)
endfunction()

set(library_objects ${KERNELS})
set(library_headers "")
set(library_needs "")
foreach(room ${ROOMS})
  if(room MATCHES "^core/")
    room_target(${room} target)
    list(APPEND library_objects $<TARGET_OBJECTS:${target}>)
    list(APPEND library_needs ${ROOM_LIBRARIES_${room}})
    library_doors(${room} doors)
    list(APPEND library_headers ${doors})
  endif()
endforeach()
list(REMOVE_DUPLICATES library_needs)
library_closure(library_headers ${library_headers})
library_symbols(library_globals ${library_headers})
list(JOIN library_globals ";\n    " library_globals)
file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/library.map @ONLY CONTENT "REJUV_@PROJECT_VERSION_MAJOR@.@PROJECT_VERSION_MINOR@ {
  global:
    @library_globals@;
  local:
    *;
};
")

add_library(rejuv_library_static STATIC ${library_objects})
add_library(rejuv_library_shared SHARED ${library_objects})
set_target_properties(rejuv_library_static rejuv_library_shared PROPERTIES OUTPUT_NAME rejuv LINKER_LANGUAGE C)
set_target_properties(rejuv_library_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
                                                      LINK_DEPENDS ${CMAKE_CURRENT_BINARY_DIR}/library.map)
target_link_options(rejuv_library_shared PRIVATE -Wl,--version-script,${CMAKE_CURRENT_BINARY_DIR}/library.map
                                                 -Wl,--no-undefined)
target_link_libraries(rejuv_library_shared PRIVATE rejuv_flags ${library_needs})

install(TARGETS rejuv_library_static rejuv_library_shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(header ${library_headers})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rejuv/${folder})
endforeach()
file(RELATIVE_PATH includes_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/rejuv.pc.in ${CMAKE_CURRENT_BINARY_DIR}/rejuv.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rejuv.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
