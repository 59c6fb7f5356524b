document.forms["form-post"].submit();
