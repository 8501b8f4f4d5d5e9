# Takes the C++ out of a Markdown page, so that the build compiles it.
#
#   weir_read_page(page folder)      page: its path, from WEIR_DOCS_ROOT; folder: where to write what is found
#
# sets WEIR_PAGE_SOURCE to a source file that holds all the page's snippets (empty: there are none), and WEIR_PAGE_PROGRAMS to
# the names of the programs found, each of which is <folder>/<name>.cpp, with <name>.txt beside it where the page shows its output.
#
# What is found in a page, at the beginning of a line:
#   ```cpp                          statements: the body of a function of their own. With a main: a program, taken as it stands;
#                                   a ```text block that comes next is what it prints.
#   ```cpp file-scope               declarations, seen by the snippets after it too
#   <!-- given …lines… -->          statements that stand before each snippet after it, until the next such comment
#   <!-- given file-scope …lines… -->   declarations, as above
#   | Rust | Weir |                 a table with a column of that name: the code in that column of each row is one snippet. A piece of code that ends in
#                                   neither ; nor } is a type or an expression. A cell that begins with "none" holds no code.
# Lines that begin with #include go to the top. A list of declarations that is not to be compiled is marked ```c++.
# What this cannot read is an error, so that no block is left out unseen.

# The characters that a CMake list gives a meaning to are replaced while lines are in one.
string(ASCII 1 weir_semicolon)
string(ASCII 2 weir_open)
string(ASCII 3 weir_shut)
string(ASCII 4 weir_backslash)
string(ASCII 5 weir_bar)

macro(weir_hide text)
    string(REPLACE "\\|" "${weir_bar}" ${text} "${${text}}")
    string(REPLACE "\\" "${weir_backslash}" ${text} "${${text}}")
    string(REPLACE ";" "${weir_semicolon}" ${text} "${${text}}")
    string(REPLACE "[" "${weir_open}" ${text} "${${text}}")
    string(REPLACE "]" "${weir_shut}" ${text} "${${text}}")
endmacro()

macro(weir_unhide text)
    string(REPLACE "${weir_open}" "[" ${text} "${${text}}")
    string(REPLACE "${weir_shut}" "]" ${text} "${${text}}")
    string(REPLACE "${weir_semicolon}" ";" ${text} "${${text}}")
    string(REPLACE "${weir_backslash}" "\\" ${text} "${${text}}")
    string(REPLACE "${weir_bar}" "|" ${text} "${${text}}")
endmacro()

# Leaves a file that has not changed alone, so that nothing is compiled again.
function(weir_write file text)
    weir_unhide(text)
    if(EXISTS ${file})
        file(READ ${file} old)
        if("${old}" STREQUAL "${text}")
            return()
        endif()
    endif()
    file(WRITE ${file} "${text}")
endfunction()

macro(weir_page_error text)
    message(FATAL_ERROR "${page}:${number}: ${text}")
endmacro()

# Moves the #include lines of `code` to `includes`; an empty line stays in their place, so that line numbers hold.
macro(weir_lift_includes)
    string(REGEX MATCHALL "#include [^\n]*" found "${code}")
    foreach(include IN LISTS found)
        string(APPEND includes "${include}\n")
    endforeach()
    string(REGEX REPLACE "#include [^\n]*" "" code "${code}")
endmacro()

# One snippet: `code`, which begins at line `first`.
macro(weir_add_statements)
    weir_lift_includes()
    string(APPEND body
        "namespace line_${first} {\nvoid snippet() {\n${given}#line ${first} \"${page}\"\n${code}}\n}\n")
endmacro()

macro(weir_end_block)
    if(kind STREQUAL "cpp" AND code MATCHES "int main\\(")
        math(EXPR program_count "${program_count} + 1")
        set(program ${stem}_program_${program_count})
        list(APPEND programs ${program})
        weir_write(${folder}/${program}.cpp "#line ${first} \"${page}\"\n${code}")
        file(REMOVE ${folder}/${program}.txt)
    elseif(kind STREQUAL "cpp")
        weir_add_statements()
    elseif(kind STREQUAL "cpp file-scope")
        weir_lift_includes()
        string(APPEND body "#line ${first} \"${page}\"\n${code}")
    elseif(kind STREQUAL "text" AND program)
        weir_write(${folder}/${program}.txt "${code}")
        set(program "")
    elseif(kind STREQUAL "given file-scope")
        string(APPEND body "#line ${first} \"${page}\"\n${code}")
    elseif(kind STREQUAL "given")
        set(given "#line ${first} \"${page}\"\n${code}")
    endif()
    set(kind "")
endmacro()

macro(weir_table_line)
    string(REGEX REPLACE "^\\|" "" row "${line}")
    string(REPLACE "|" ";" cells "${row}")
    if(NOT in_table)
        set(in_table TRUE)
        set(weir_column -1)
        set(column 0)
        foreach(cell IN LISTS cells)
            string(STRIP "${cell}" cell)
            if(cell STREQUAL "Weir")
                set(weir_column ${column})
            endif()
            math(EXPR column "${column} + 1")
        endforeach()
    elseif(weir_column GREATER -1 AND NOT line MATCHES "^\\|[-| :]*$")
        list(GET cells ${weir_column} cell)
        string(STRIP "${cell}" cell)
        string(REGEX MATCHALL "`[^`]+`" spans "${cell}")
        if(cell MATCHES "^none")
            set(spans "")
        elseif(NOT spans)
            weir_page_error("a row without code in the column \"Weir\"")
        endif()
        set(code "")
        foreach(span IN LISTS spans)
            string(REGEX REPLACE "^`|`$" "" span "${span}")
            if(NOT span MATCHES "[${weir_semicolon}}]$")
                set(span "static_cast<void>(sizeof(${span}))${weir_semicolon}")
            endif()
            string(APPEND code "${span}\n")
        endforeach()
        if(code)
            set(first ${number})
            weir_add_statements()
        endif()
    endif()
endmacro()

function(weir_read_page page folder)
    file(READ ${WEIR_DOCS_ROOT}/${page} text)
    weir_hide(text)
    string(REPLACE "\n" ";" lines "${text}")
    string(REGEX REPLACE "^docs/|[.]md$" "" stem "${page}")
    string(REPLACE "/" "_" stem "${stem}")
    string(TOLOWER "${stem}" stem)

    set(kind "")            # what the lines belong to: a fenced block's words, "given", or nothing
    set(first 0)            # the line that `code` begins at
    set(code "")
    set(given "")
    set(program "")         # the program that a ```text block now would be the output of
    set(programs "")
    set(program_count 0)
    set(in_table FALSE)
    set(includes "")
    set(body "")

    set(number 0)
    foreach(line IN LISTS lines)
        math(EXPR number "${number} + 1")
        if(kind MATCHES "^given")
            if(line STREQUAL "-->")
                weir_end_block()
            else()
                string(APPEND code "${line}\n")
            endif()
            continue()
        elseif(kind)
            if(line STREQUAL "```")
                weir_end_block()
            else()
                string(APPEND code "${line}\n")
            endif()
            continue()
        endif()

        if(line MATCHES "^\\|")
            weir_table_line()
            continue()
        endif()
        set(in_table FALSE)

        if(line MATCHES "^(```|<!-- )((cpp|c\\+\\+|text|cmake|sh|rust|given)( file-scope)?)$")
            set(kind "${CMAKE_MATCH_2}")
            if(NOT kind STREQUAL "text")
                set(program "")
            endif()
            set(code "")
            math(EXPR first "${number} + 1")
        elseif(line MATCHES "```|<!-- *given")
            weir_page_error("cannot read this block's first line: ${line}")
        endif()
    endforeach()
    if(kind)
        weir_page_error("the block that begins at line ${first} has no end")
    endif()

    set(source "")
    if(body)
        set(source ${folder}/${stem}.cpp)
        # A fragment may well declare a variable to show how it is made, and end there.
        weir_write(${source} "#include \"prelude.hpp\"
#pragma GCC diagnostic ignored \"-Wunused-variable\"
#pragma GCC diagnostic ignored \"-Wunused-but-set-variable\"
${includes}namespace ${stem} {\n${body}}\n")
    endif()
    set(WEIR_PAGE_SOURCE "${source}" PARENT_SCOPE)
    set(WEIR_PAGE_PROGRAMS "${programs}" PARENT_SCOPE)
endfunction()
