# What is installed, and as a package: `cpack --config build/CPackConfig.cmake` writes a .deb, `… -G TGZ` an archive of the same,
# `cpack --config build/CPackSourceConfig.cmake` the sources, which build without git.
include(GNUInstallDirs)
set(documents ${CMAKE_CURRENT_BINARY_DIR}/documents)
find_program(GZIP gzip REQUIRED)

# the manual page and the shells' completions derive from the program's own tables: it writes them
if(NOT CMAKE_CROSSCOMPILING AND NOT REJUV_SANITIZE_THREAD)
  add_custom_command(
    OUTPUT ${documents}/rejuv.1 ${documents}/rejuv.1.gz
    COMMAND ${CMAKE_COMMAND} -E make_directory ${documents}
    COMMAND rejuv manual > ${documents}/rejuv.1
    COMMAND ${GZIP} -9nkf ${documents}/rejuv.1
    COMMAND rejuv completion bash > ${documents}/rejuv
    COMMAND rejuv completion zsh > ${documents}/_rejuv
    COMMAND rejuv completion fish > ${documents}/rejuv.fish
    DEPENDS rejuv
    VERBATIM)
  add_custom_target(documents ALL DEPENDS ${documents}/rejuv.1.gz)
  install(FILES ${documents}/rejuv.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${documents}/rejuv DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${documents}/rejuv.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  # Debian's zsh looks for what packages bring in another folder than for what users install
  install(CODE "
    set(folder site-functions)
    if(EXISTS /etc/debian_version AND CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
      set(folder vendor-completions)
    endif()
    file(INSTALL \"${documents}/_rejuv\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\")")
endif()

install(TARGETS rejuv RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES keymaps/default.keys keymaps/vim.keys keymaps/emacs.keys DESTINATION ${CMAKE_INSTALL_DATADIR}/rejuv/keymaps)
install(DIRECTORY tests/demo/base tests/demo/sft DESTINATION ${CMAKE_INSTALL_DATADIR}/rejuv/demo)
install(FILES tests/demo/calibration.jsonl tests/demo/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/rejuv/demo)

# Who builds a package is its maintainer, and says so as to Debian's own tools, in DEBFULLNAME and DEBEMAIL.
set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
if("$ENV{DEBEMAIL}" STREQUAL "")
  set(maintainer "The rejuv authors <rejuv@localhost.localdomain>")
endif()
if("$ENV{SOURCE_DATE_EPOCH}" STREQUAL "")
  file(TIMESTAMP ${CMAKE_SOURCE_DIR}/CMakeLists.txt date "%a, %d %b %Y %H:%M:%S +0000" UTC)
else()
  string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
endif()
file(WRITE ${documents}/changelog "rejuv (${PROJECT_VERSION}) unstable; urgency=medium

  * This version; the repository has what changed.

 -- ${maintainer}  ${date}
")
execute_process(COMMAND ${GZIP} -9nkf ${documents}/changelog)
install(FILES ${CMAKE_BINARY_DIR}/copyright ${documents}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME rejuv)
set(CPACK_PACKAGE_VENDOR "the rejuv authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "terminal explorer for language-model checkpoints")
set(CPACK_PACKAGE_DESCRIPTION "It opens a base model and the same model after supervised fine-tuning side
by side, shows where the weights moved and how sure of itself the model
became, fuses the two with a dial that the next-token distributions follow
live, and exports the result, bit for bit. It needs no Python, no GPU, and
no second copy of the weights.")
set(CPACK_PACKAGE_CONTACT ${maintainer})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS libopenblas0) # loaded while the program runs, so that dpkg-shlibdeps does not see it
set(CPACK_SOURCE_GENERATOR TXZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME rejuv-${PROJECT_VERSION})
set(CPACK_SOURCE_IGNORE_FILES "/\\.git/" "/\\.git$" "/build[^/]*/" "\\.log$")
include(CPack)
