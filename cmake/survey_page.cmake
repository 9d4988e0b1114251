# Makes the page of `overlayctl survey result --format html` out of its parts, and a C++ string of it. At build time:
#   cmake -DFROM=FOLDER -DSCRIPTS=a.js,b.js -DSTYLES=a.css -DHTML=out.html -DCPP=out.cpp -P survey_page.cmake
# The page may load nothing and run nothing but what is put in here: its Content-Security-Policy names the SHA-256 of
# the script and of the style, so that not even a flaw in the page lets data of hostile nodes become code.
cmake_minimum_required(VERSION 3.20)

# Twelve bits at a time, for CMake has no base64 of its own: three hexadecimal digits make two of base64.
function(base64_of_hex hex result)
  set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  string(LENGTH "${hex}" digits)
  set(text "")
  foreach(begin RANGE 0 ${digits} 3)
    string(SUBSTRING "${hex}00" ${begin} 3 group)
    math(EXPR high "0x${group} >> 6")
    math(EXPR low "0x${group} & 63")
    string(SUBSTRING ${alphabet} ${high} 1 first)
    string(SUBSTRING ${alphabet} ${low} 1 second)
    string(APPEND text "${first}${second}")
  endforeach()
  string(SUBSTRING "${text}" 0 43 text)  # 32 bytes
  set(${result} "${text}=" PARENT_SCOPE)
endfunction()

# The files one after the other, and the hash under which a browser knows the text between the tags.
function(join_files names text_result hash_result)
  string(REPLACE "," ";" names "${names}")
  set(text "\n")
  foreach(name IN LISTS names)
    file(READ ${FROM}/${name} part)
    string(APPEND text "${part}")
  endforeach()
  string(SHA256 hex "${text}")
  base64_of_hex(${hex} hash)
  set(${text_result} "${text}" PARENT_SCOPE)
  set(${hash_result} "sha256-${hash}" PARENT_SCOPE)
endfunction()

join_files("${SCRIPTS}" script script_hash)
join_files("${STYLES}" style style_hash)
file(READ ${FROM}/page.html page)
string(REPLACE "__SCRIPT_HASH__" "${script_hash}" page "${page}")
string(REPLACE "__STYLE_HASH__" "${style_hash}" page "${page}")
string(REPLACE "__STYLE__" "${style}" page "${page}")
string(REPLACE "__SCRIPT__" "${script}" page "${page}")

string(REGEX MATCHALL "__[A-Z]+(_[A-Z]+)*__" left "${page}")
if(NOT left STREQUAL "__SURVEY_DATA__")
  message(FATAL_ERROR "the survey page must keep one __SURVEY_DATA__ and no other mark; it has: ${left}")
endif()
string(FIND "${page}" ")survey_page\"" end_of_literal)
if(NOT end_of_literal EQUAL -1)
  message(FATAL_ERROR "the survey page contains the end of the literal that holds it")
endif()
file(WRITE ${HTML} "${page}")
file(WRITE ${CPP} "// Made by cmake/survey_page.cmake of ipc/ctl/survey_page.
#include \"ipc/ctl/survey_page.h\"

namespace overlayd::ipc::ctl {

std::string_view survey_page() {
  static constexpr std::string_view kPage = R\"survey_page(${page})survey_page\";
  return kPage;
}

}  // namespace overlayd::ipc::ctl
")
