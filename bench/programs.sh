#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# programs.sh [ROUNDS [PROGRAM...]]: how long real programs, or some of them,
# take under Electric Fence, D.U.M.A. and Moat, as ratios to how long they take
# plain: the fastest of ROUNDS each (3 unless told), in turns. A program that did
# not get through says how it ended: the signal or exit status, "other output",
# or "over" its time, which is 50 times the plain one, and 20 s at least. To be
# run at the top of the build tree.

rounds=${1:-3}
[ $# -eq 0 ] || shift
only=" $* "
moat=$PWD/tools/moat/moat
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck disable=SC3045
ulimit -c 0
cd "$scratch" || exit 1
LC_ALL=C.UTF-8 HOME=$scratch PYTHONMALLOC=malloc
# Both end a program that asks for 0 bytes, unless told not to.
EF_ALLOW_MALLOC_0=1 EF_DISABLE_BANNER=1
DUMA_DISABLE_BANNER=1
export LC_ALL HOME PYTHONMALLOC
export EF_ALLOW_MALLOC_0 EF_DISABLE_BANNER DUMA_DISABLE_BANNER

fail() {
    echo "programs.sh: $*" >&2
    exit 1
}

[ -x "$moat" ] || fail "no tools/moat/moat here; run make first"

# Whether LIBRARY can be preloaded; says which PACKAGE has it.
can_preload() {
    LD_PRELOAD=$1 /bin/true 2>preload.error
    [ ! -s preload.error ] && return
    echo "programs.sh: no $1 (Debian's package $2), its column is left out" >&2
    return 1
}

tools=plain
can_preload libefence.so.0 electric-fence && tools="$tools efence"
can_preload libduma.so.0 duma && tools="$tools duma"
tools="$tools moat"

# What TOOL is run by, in front of a command.
runner() {
    case $1 in
    plain) ;;
    efence) echo "env LD_PRELOAD=libefence.so.0" ;;
    duma) echo "env LD_PRELOAD=libduma.so.0" ;;
    moat) echo "$moat run" ;;
    esac
}

# Something to work on: lines of text, and a list of objects.
awk 'BEGIN { for (i = 0; i < 20000; i++)
    print (i * 7919) % 20011, "line", i, "of some text" }' >text
head -n 4000 text >short
awk 'BEGIN { printf "["; for (i = 0; i < 1000; i++)
    printf "%s{\"id\": %d, \"name\": \"n%d\"}", i ? "," : "", i, i
    print "]" }' >list.json
awk 'BEGIN { for (i = 0; i < 150; i++)
    print "int f" i "(int a, int b) { return a * b + " i "; }"
    print "int main(void) { return f7(1, 2) & 0; }" }' >program.c
awk 'BEGIN { print "define(`twice'\'', `$1$1'\'')"
    for (i = 0; i < 4000; i++) print "twice(word" i ")" }' >macros
printf 'all: %s\n' "$(seq -s ' ' 30)" >makefile
printf '%%::\n\t@echo $@\n' >>makefile
mkdir tree
for i in 1 2 3 4 5; do
    head -n $((i * 1000)) text >tree/text$i
done

# timed TOOL SHELL-COMMANDS: leaves their output, status and microseconds.
timed() {
    run=$(runner "$1")
    export run
    began=$(date +%s%N)
    timeout -k 5 "$limit" sh -c "$2" >output 2>error </dev/null
    status=$?
    took=$((($(date +%s%N) - began) / 1000))
}

# How the last command ended, if not as the plain one did.
ending() {
    if [ $status -ge 124 ] && [ $took -ge $((limit * 1000000)) ]; then
        echo "over $limit s"
    elif [ $status -gt 128 ]; then
        echo "signal $((status - 128))"
    elif [ $status -ne "$plain_status" ]; then
        echo "exit status $status"
    elif ! cmp -s output plain.output; then
        echo "other output"
    fi
}

# measure NAME SHELL-COMMANDS: one row; $run is what the program is run with.
measure() {
    case $only in
    "  " | *" $1 "*) ;;
    *) return ;;
    esac
    command -v "$1" >/dev/null || {
        echo "| $1 | not installed |"
        return
    }
    for tool in $tools; do
        eval "best_$tool='' ended_$tool=''"
    done
    limit=100
    round=0
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        for tool in $tools; do
            eval "best=\$best_$tool ended=\$ended_$tool"
            # shellcheck disable=SC2154 # by eval
            [ -z "$ended" ] || continue
            timed "$tool" "$2"
            if [ "$tool" = plain ]; then
                mv output plain.output
                plain_status=$status
                limit=$((took / 20000))
                [ $limit -ge 20 ] || limit=20
            else
                ended=$(ending)
                eval "ended_$tool=\$ended"
            fi
            if [ -z "$best" ] || [ "$took" -lt "$best" ]; then
                eval "best_$tool=$took"
            fi
        done
    done
    # shellcheck disable=SC2154 # by eval
    row="| $1 | $(awk "BEGIN { printf \"%.1f\", $best_plain / 1000 }") |"
    for tool in $tools; do
        [ "$tool" != plain ] || continue
        eval "best=\$best_$tool ended=\$ended_$tool"
        if [ -n "$ended" ]; then
            row="$row $ended |"
        else
            row="$row $(awk "BEGIN { printf \"%.2f\", $best / $best_plain }") |"
        fi
    done
    echo "$row"
}

heading="| program | plain, ms |"
line="| --- | --- |"
for tool in $tools; do
    case $tool in
    efence) heading="$heading Electric Fence |" ;;
    duma) heading="$heading D.U.M.A. |" ;;
    moat) heading="$heading Moat |" ;;
    *) continue ;;
    esac
    line="$line --- |"
done
echo "$heading"
echo "$line"

# A part of what is expanded in the shell that measure() starts.
# shellcheck disable=SC2016
{
    measure sort '$run sort -n text'
    measure m4 '$run m4 macros'
    measure gawk '$run gawk "{ n[\$1 % 500] = n[\$1 % 500] \$3 }
        END { for (i = 0; i < 500; i++) print i, n[i] }" short'
    measure perl '$run perl -e "my %h; while (<>) { \$h{\$_} = \$. }
        print scalar(keys %h), qq(\\n)" short'
    measure python3 '$run /usr/bin/python3 -S -c "import json
data = json.load(open(\"list.json\"))
print(sum(len(x[\"name\"]) for x in data))"'
    measure sqlite3 '$run sqlite3 :memory: "create table t(a, b);
        with recursive n(i) as (select 1 union all select i + 1 from n
            where i < 5000) insert into t select i, i * i from n;
        create index x on t(b); select count(*), sum(b) from t;"'
    measure lua5.4 '$run lua5.4 -e "local t = {} for i = 1, 10000 do
        t[i] = tostring(i) .. string.rep(\"x\", i % 50) end
        table.sort(t) print(#table.concat(t, \",\"), t[77])"'
    measure jq '$run jq -c "map(select(.id % 7 == 0)) | length" list.json'
    measure git '$run git init -q repository && cd repository &&
        cp ../tree/* . && $run git add . && $run git ls-files; cd ..;
        rm -rf repository'
    measure bash '$run bash -c "a=(); for i in {1..3000}; do a+=(\$i); done
        f() { local x=\$1; ((x > 0)) && f \$((x - 1)); }; f 100
        echo \${#a[@]}"'
    measure dash '$run dash -c "i=0; while [ \$i -lt 5000 ]; do
        i=\$((i + 1)); x=\$x.; done; echo \$i"'
    measure gcc '$run gcc -O1 -S -o - program.c'
    measure g++ '$run g++ -x c++ -S -o - program.c'
    measure tar '$run tar -cf - --mtime=@0 --sort=name tree'
    measure xz '$run xz -T2 --block-size=65536 -c text'
    measure curl '$run curl -s "file://$PWD/text"'
    measure gdb '$run gdb -q -batch -ex "print 6 * 7"'
    if man -w 1 sort >/dev/null 2>&1; then
        measure man '$run man -P cat 1 sort'
    fi
    measure make '$run make -s -f makefile'
    # The server of Debian's redis-tools goes by another name.
    measure redis-check-rdb 'ln -sf "$(command -v redis-check-rdb)" redis-server
        $run ./redis-server --port 0 --unixsocket socket --save "" \
            --logfile log & server=$!
        until redis-cli -s socket ping >ping 2>&1; do
            kill -0 $server 2>/dev/null || exit 9
        done
        redis-benchmark -s socket -q -n 2000 -c 10 -P 4 -t set,get,lpush \
            >benchmark
        redis-cli -s socket shutdown nosave; wait $server'
    measure node '$run node -e "console.log(6 * 7)"'
}
