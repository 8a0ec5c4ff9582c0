define i64 @text_length(ptr %text) {
entry:
  br label %next

next:
  %length = phi i64 [ 0, %entry ], [ %more, %next ]
  %place = getelementptr i8, ptr %text, i64 %length
  %letter = load i8, ptr %place
  %more = add i64 %length, 1
  %end = icmp eq i8 %letter, 0
  br i1 %end, label %done, label %next

done:
  ret i64 %length
}
