/*
 * sanitizer — whether this test is built with one. A sanitizer has most of the addresses for itself and more memory than the
 * program: limits of either say nothing then.
 */
#ifndef REJUV_TESTS_SANITIZER_H
#define REJUV_TESTS_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

#endif
