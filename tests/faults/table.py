"""Every fault that the client, the store and the embedded backend answer for, and the tests that hold it."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, ...]] = {
    "latency": ("faults/test_faults.py::test_latency_delays_the_end_and_nothing_that_a_person_does",),
    "slicing": (
        "faults/test_faults.py::test_a_reply_in_slices_is_the_same_reply",
        "backends/test_sse.py::test_any_stream_reads_the_same_whole_and_byte_by_byte",
    ),
    "drip": ("faults/test_faults.py::test_a_reply_that_drips_is_the_same_reply_and_can_be_stopped",),
    "cut and reset, anywhere": (
        "faults/test_faults.py::test_wherever_the_connection_ends_nothing_is_lost_twice_or_made_up",
    ),
    "black hole": (
        "races/test_reconnecting.py::test_S29_black_hole_both_ways_then_stop",
        "races/test_reconnecting.py::test_S30_partition_heals_after_the_stop",
        "faults/test_faults.py::test_a_look_up_into_a_black_hole_is_given_up",
    ),
    "byte flip": (
        "faults/test_faults.py::test_a_flipped_bit_never_ends_a_run_that_did_not_end_or_breaks_the_client",
    ),
    "silence": (
        "faults/test_faults.py::test_silence_is_only_told_and_never_ends_a_run",
        "backends/test_stream.py::test_silence_is_no_fault",
    ),
    "a clean end without a final event": (
        "races/test_reconnecting.py::test_S27_the_stream_ends_cleanly_without_an_end_marker",
        "backends/test_ag_ui.py::test_an_end_without_a_final_event_is_lost_and_not_completed",
    ),
    "re-attaching": (
        "races/test_reconnecting.py::test_S28_a_broken_stream_is_taken_up_again_where_the_protocol_has_it",
        "backends/test_contract.py::test_the_adapter_promises",
    ),
    "a prompt is not posted twice": (
        "backends/test_stream.py::test_nothing_is_posted_twice_whatever_breaks",
    ),
    "Retry-After": (
        "races/test_answers.py::test_S20_abort_that_is_to_wait_longer_than_the_deadline_or_for_nonsense",
        "races/test_answers.py::test_S20_abort_that_is_to_wait_a_second_is_sent_once_more",
    ),
    "401 and 403": (
        "faults/test_faults.py::test_a_prompt_that_is_not_allowed_fails_with_what_to_do_and_is_not_sent_again",
        "races/test_answers.py::test_S16_abort_that_is_not_allowed",
    ),
    "an abort that is redirected": ("races/test_answers.py::test_S21_abort_that_is_redirected",),
    "an abort that hangs": (
        "races/test_answers.py::test_S15_abort_without_an_answer_and_evidence_that_comes_later",
    ),
    "an abort answered with HTML, 10 MB, a bomb": (
        "races/test_answers.py::test_S22_abort_with_a_body_that_says_nothing",
    ),
    "secrets in logs and errors": (
        "backends/test_http.py::test_logging_at_debug_shows_neither_url_nor_cookie",
        "backends/test_http.py::test_the_error_of_a_status_says_what_to_do_and_repeats_no_secret",
        "cli/test_run.py::test_no_token_and_no_header_reaches_the_disk_or_the_output",
    ),
    "secrets to another origin": (
        "backends/test_http.py::test_a_token_arrives_once_in_one_header_at_one_server",
        "backends/test_http.py::test_nothing_is_sent_to_an_address_that_the_user_did_not_give",
    ),
    "ids that would become paths": (
        "backends/test_http.py::test_an_id_never_becomes_another_path",
        "backends/test_ag_ui.py::test_an_id_that_could_become_another_path_is_not_sent",
    ),
    "proxies of the environment": ("backends/test_http.py::test_proxies_of_the_environment_are_not_used",),
    "compressed bombs": (
        "backends/test_http.py::test_identity_is_asked_for_and_nothing_is_decompressed",
        "backends/test_stream.py::test_a_compressed_stream_is_refused_unread",
    ),
    "endless bodies": ("backends/test_http.py::test_a_body_is_read_to_its_limit_and_no_further",),
    "a restarted server": (
        "faults/test_faults.py::test_a_server_that_is_restarted_is_found_again",
        "races/test_reconnecting.py::test_S32_the_server_restarts_and_does_not_know_the_run",
    ),
    "kill -9": ("store/test_kill.py::test_no_acknowledged_record_is_lost_by_kill_9_and_hardly_any_other",),
    "two clients": ("store/test_clients.py::test_two_clients_writing_as_fast_as_they_can_lose_nothing",),
    "full disk": (
        "store/test_faults.py::test_a_full_disk_keeps_everything_in_memory_and_writes_it_when_there_is_room",
    ),
    "locked store": (
        "store/test_faults.py::test_a_store_locked_by_another_program_delays_nothing_but_the_saving",
    ),
    "damaged store": (
        "store/test_faults.py::test_garbage_is_left_as_it_is_and_said",
        "store/test_faults.py::test_a_torn_write_ahead_log_costs_only_what_was_torn",
        "store/test_faults.py::test_a_page_of_noise_in_the_middle_is_one_sentence_not_a_crash",
    ),
    "older and newer store": (
        "store/test_schema.py::test_an_older_file_is_brought_forward_and_a_copy_of_it_kept",
        "store/test_faults.py::test_a_file_of_a_newer_client_is_left_as_it_is_and_said",
    ),
    "permissions": ("store/test_private.py::test_folder_0700_and_every_file_0600_whatever_the_umask",),
    "embedded backend: token, Host, Origin": (
        "stub/test_door.py::test_only_this_machines_names_are_answered_to",
        "stub/test_door.py::test_requests_of_web_pages_are_refused_even_with_the_token",
        "stub/test_door.py::test_a_token_in_the_query_opens_nothing",
    ),
    "embedded backend: large bodies and headers": (
        "stub/test_door.py::test_a_body_larger_than_a_mebibyte_is_refused_and_not_kept",
        "stub/test_door.py::test_headers_larger_than_16_kib_are_refused",
    ),
    "embedded backend: slow clients": (
        "stub/test_door.py::test_a_request_that_never_becomes_whole_is_closed",
    ),
    "embedded backend: shutdown with streams open": (
        "stub/test_process.py::test_it_ends_within_a_second_and_a_half_with_a_stream_open",
    ),
}
