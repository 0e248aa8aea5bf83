# TIDEOVER_REVISION: the commit this tree was configured at. An image builds from a tree without its repository and
# passes -DTIDEOVER_REVISION=...
if(NOT TIDEOVER_REVISION)
  set(TIDEOVER_REVISION "unknown")
  find_package(Git QUIET)
  if(GIT_FOUND)
    execute_process(
      COMMAND "${GIT_EXECUTABLE}" rev-parse --short=12 HEAD
      WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
      OUTPUT_VARIABLE revision
      OUTPUT_STRIP_TRAILING_WHITESPACE
      RESULT_VARIABLE failed
      ERROR_QUIET)
    if(NOT failed)
      set(TIDEOVER_REVISION "${revision}")
      # A commit or checkout writes this file; the next build then configures again.
      execute_process(
        COMMAND "${GIT_EXECUTABLE}" rev-parse --git-path logs/HEAD
        WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
        OUTPUT_VARIABLE head_log
        OUTPUT_STRIP_TRAILING_WHITESPACE)
      get_filename_component(head_log "${head_log}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
      if(EXISTS "${head_log}")
        set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${head_log}")
      endif()
    endif()
  endif()
endif()
