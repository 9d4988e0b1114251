# What the daemon keeps and tells outside of the overlay: SQLite, the seed, the service manager.
find_package(SQLiteCpp REQUIRED)
add_library(daemon_storage STATIC
  ${CMAKE_CURRENT_LIST_DIR}/peer_store.cpp ${CMAKE_CURRENT_LIST_DIR}/ban_store.cpp
  ${CMAKE_CURRENT_LIST_DIR}/survey_store.cpp
  ${CMAKE_CURRENT_LIST_DIR}/address_columns.cpp ${CMAKE_CURRENT_LIST_DIR}/storage_thread.cpp
  ${CMAKE_CURRENT_LIST_DIR}/sd_notify.cpp ${CMAKE_CURRENT_LIST_DIR}/seed.cpp)
target_include_directories(daemon_storage PUBLIC ${CMAKE_SOURCE_DIR})
target_link_libraries(daemon_storage PUBLIC config core_book core_crypto Threads::Threads PRIVATE SQLiteCpp sqlite3)
target_compile_options(daemon_storage PRIVATE ${OVERLAYD_WARNINGS} ${OVERLAYD_HARDENING})
if(OVERLAYD_TESTS)
  overlayd_test(daemon_storage_tests DEPS daemon_storage SQLiteCpp sqlite3
    SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/peer_store_test.cpp
            ${CMAKE_SOURCE_DIR}/tests/unit/ban_store_test.cpp ${CMAKE_SOURCE_DIR}/tests/unit/survey_store_test.cpp
            ${CMAKE_SOURCE_DIR}/tests/unit/storage_thread_test.cpp
            ${CMAKE_SOURCE_DIR}/tests/unit/sd_notify_test.cpp
            ${CMAKE_SOURCE_DIR}/tests/unit/seed_test.cpp)
endif()
