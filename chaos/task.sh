#!/bin/sh
# A task of the executor `local`: task.sh JOURNAL SECONDS ENDS. Writes the same lines as functions.ts.
nonce="$$-$(date +%s%N)"
say() {
  printf '{"e":"%s","run":"%s","task":"%s","attempt":%s,"pid":%s,"at":%s,"nonce":"%s",%s}\n' \
    "$1" "$RUNNEL_RUN_ID" "$RUNNEL_TASK_ID" "$RUNNEL_ATTEMPT" "$$" "$(date +%s%3N)" "$nonce" "$2" >>"$journal"
}
journal=$1
say start "\"inputs\":$(cat "$RUNNEL_INPUTS")"
sleep "$2"
end=$(echo "$3" | cut -d, -f "$RUNNEL_ATTEMPT")
say end "\"end\":\"$end\""
[ "$end" = succeeded ] || exit 1
printf '{"task":"%s","nonce":"%s"}' "$RUNNEL_TASK_ID" "$nonce" >"$RUNNEL_OUTPUT"
